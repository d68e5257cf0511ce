// A worker that a hostile sound has taken over may write anything: any bytes in any pieces become
// frames or are refused, and what a frame carries is whole and sane or refused.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.hpp"
#include "core/worker/frame.hpp"
#include "models/worker/messages.hpp"

namespace qylon::models {
namespace {

void check_payload(std::string_view payload) {
  if (const auto decoded = parse_decoded(payload)) {
    for (const DecodedWord& word : decoded->words)
      QYLON_CHECK(word.start_ms >= 0 && word.end_ms >= word.start_ms && word.confidence >= 0.0F &&
                  word.confidence <= 1.0F);
    QYLON_CHECK(encode_decoded(*decoded) == payload);
  }
  if (const auto setup = parse_setup(payload)) {
    for (const float value : setup->mean.values)
      QYLON_CHECK(std::isfinite(value));
  }
  if (const auto phrases = parse_phrases(payload)) QYLON_CHECK(encode_phrases(*phrases) == payload);
}

}  // namespace
}  // namespace qylon::models

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qylon::FrameReader;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  qylon::models::check_payload(bytes);
  FrameReader reader(4096);
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    reader.append(bytes.substr(at, 7));
    for (;;) {
      const auto frame = reader.next();
      if (!frame) return 0;
      if (!frame->has_value()) break;
      qylon::models::check_payload((*frame)->payload);
    }
  }
  return 0;
}
