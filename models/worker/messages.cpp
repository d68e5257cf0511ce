#include "models/worker/messages.hpp"

#include <algorithm>
#include <cmath>

namespace qylon::models {
namespace {

void write_mean(PayloadWriter& writer, const CepstralMean& mean) {
  writer.value(static_cast<std::uint32_t>(mean.values.size()));
  for (const float value : mean.values)
    writer.value(value);
  writer.value(mean.frames);
}

bool read_mean(PayloadReader& reader, CepstralMean& mean) {
  std::uint32_t count = 0;
  if (!reader.value(count) || count > kMeanValuesMax) return false;
  mean.values.resize(count);
  for (float& value : mean.values) {
    if (!reader.value(value) || !std::isfinite(value)) return false;
  }
  return reader.value(mean.frames) && std::isfinite(mean.frames) && mean.frames >= 0;
}

bool read_word(PayloadReader& reader, DecodedWord& word) {
  return reader.text(word.text, kDecodedWordBytesMax) && reader.value(word.start_ms) &&
         reader.value(word.end_ms) && reader.value(word.confidence) && word.start_ms >= 0 &&
         word.end_ms >= word.start_ms && word.confidence >= 0.0F && word.confidence <= 1.0F;
}

}  // namespace

std::string encode_setup(const SegmentSetup& setup) {
  PayloadWriter writer;
  writer.value(static_cast<std::uint8_t>(setup.live));
  write_mean(writer, setup.mean);
  return writer.bytes();
}

std::optional<SegmentSetup> parse_setup(std::string_view payload) {
  PayloadReader reader(payload);
  SegmentSetup setup;
  std::uint8_t live = 0;
  if (!reader.value(live) || live > 1 || !read_mean(reader, setup.mean) || !reader.at_end())
    return std::nullopt;
  setup.live = live == 1;
  return setup;
}

std::string encode_decoded(const Decoded& decoded) {
  PayloadWriter writer;
  const std::size_t count = std::min(decoded.words.size(), kDecodedWordsMax);
  writer.value(static_cast<std::uint32_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    const DecodedWord& word = decoded.words[i];
    writer.text(std::string_view(word.text).substr(0, kDecodedWordBytesMax));
    writer.value(word.start_ms);
    writer.value(word.end_ms);
    writer.value(word.confidence);
  }
  write_mean(writer, decoded.mean);
  writer.value(decoded.skipped_words);
  return writer.bytes();
}

std::optional<Decoded> parse_decoded(std::string_view payload) {
  PayloadReader reader(payload);
  Decoded decoded;
  std::uint32_t count = 0;
  if (!reader.value(count) || count > kDecodedWordsMax) return std::nullopt;
  decoded.words.resize(count);
  for (DecodedWord& word : decoded.words) {
    if (!read_word(reader, word)) return std::nullopt;
  }
  if (!read_mean(reader, decoded.mean) || !reader.value(decoded.skipped_words) || !reader.at_end())
    return std::nullopt;
  return decoded;
}

std::string encode_phrases(const std::vector<std::string>& phrases) {
  PayloadWriter writer;
  const std::size_t count = std::min(phrases.size(), kVocabularyPhrasesMax);
  writer.value(static_cast<std::uint32_t>(count));
  for (std::size_t i = 0; i < count; ++i)
    writer.text(std::string_view(phrases[i]).substr(0, kVocabularyPhraseBytesMax));
  return writer.bytes();
}

std::optional<std::vector<std::string>> parse_phrases(std::string_view payload) {
  PayloadReader reader(payload);
  std::uint32_t count = 0;
  if (!reader.value(count) || count > kVocabularyPhrasesMax) return std::nullopt;
  std::vector<std::string> phrases(count);
  for (std::string& phrase : phrases) {
    if (!reader.text(phrase, kVocabularyPhraseBytesMax)) return std::nullopt;
  }
  if (!reader.at_end()) return std::nullopt;
  return phrases;
}

}  // namespace qylon::models
