// What a recogniser's server answers: any bytes are read or refused, and times never run backwards.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.hpp"
#include "models/transcription.hpp"
#include "models/websocket_dialect.hpp"

namespace qylon::models {
namespace {

void check_words(const std::vector<DecodedWord>& words) {
  QYLON_CHECK(words.size() <= kDecodedWordsMax);
  for (const DecodedWord& word : words) {
    QYLON_CHECK(!word.text.empty() && word.text.size() <= kDecodedWordBytesMax);
    QYLON_CHECK(word.start_ms >= 0 && word.end_ms >= word.start_ms);
    QYLON_CHECK(word.confidence >= 0.0F && word.confidence <= 1.0F);
  }
}

void read_answer(std::string_view text) {
  if (const auto heard = parse_vosk(text, 5000)) check_words(heard->words);
  if (const auto heard = parse_sherpa(text, 5000)) check_words(heard->transcription.words);
  if (const auto heard = parse_openai(text, 5000)) check_words(heard->words);
  check_words(spread_words(text, 0, 5000, 0.5F));
}

void converse(WebSocketDialect& dialect, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (dialect.hear(text.substr(0, end), 5000) == WebSocketDialect::Heard::kBroken) return;
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace
}  // namespace qylon::models

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  qylon::models::read_answer(text);
  const auto vosk = qylon::models::make_vosk_dialect({});
  qylon::models::converse(*vosk, text);
  const auto sherpa = qylon::models::make_sherpa_dialect();
  qylon::models::converse(*sherpa, text);
  return 0;
}
