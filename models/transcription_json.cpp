#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "models/transcription.hpp"

namespace qylon::models {
namespace {

using Json = nlohmann::json;

constexpr float kUntoldConfidence = 0.8F;  // Of engines that do not say how sure they are.
constexpr double kSecondsMax = 24.0 * 3600;

/// Nothing when `text` is too large, too deep or not a JSON object.
std::optional<Json> parse_object(std::string_view text) {
  if (text.size() > kTranscriptionBytesMax) return std::nullopt;
  bool too_deep = false;
  const auto watch_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kTranscriptionDepthMax;
    return !too_deep;
  };
  Json value = Json::parse(text.begin(), text.end(), watch_depth, false);
  if (too_deep || !value.is_object()) return std::nullopt;
  return value;
}

const Json* member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

/// The string member `name`; empty when absent or something else.
std::string text_of(const Json& object, const char* name) {
  const Json* value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::optional<double> number_of(const Json& object, const char* name) {
  const Json* value = member(object, name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->get<double>();
}

std::int32_t to_ms(double seconds) {
  return static_cast<std::int32_t>(std::lrint(std::clamp(seconds, 0.0, kSecondsMax) * 1000));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

/// {"word", "start", "end"} and a probability under one of the names in use; nothing when a part
/// is missing.
std::optional<DecodedWord> timed_word(const Json& entry) {
  if (!entry.is_object()) return std::nullopt;
  const std::string text = text_of(entry, "word");
  const auto start = number_of(entry, "start");
  const auto end = number_of(entry, "end");
  if (trimmed(text).empty() || !start || !end) return std::nullopt;
  DecodedWord word;
  word.text = trimmed(text).substr(0, kDecodedWordBytesMax);
  word.start_ms = to_ms(*start);
  word.end_ms = std::max(word.start_ms, to_ms(*end));
  auto sure = number_of(entry, "conf");
  if (!sure) sure = number_of(entry, "probability");
  word.confidence = static_cast<float>(std::clamp(sure.value_or(kUntoldConfidence), 0.0, 1.0));
  return word;
}

/// Every entry of the array member `name`; nothing when it is absent or one entry is not a word.
std::optional<std::vector<DecodedWord>> timed_words(const Json& object, const char* name) {
  const Json* entries = member(object, name);
  if (entries == nullptr || !entries->is_array() || entries->empty()) return std::nullopt;
  std::vector<DecodedWord> words;
  for (const Json& entry : *entries) {
    auto word = timed_word(entry);
    if (!word || words.size() >= kDecodedWordsMax) return std::nullopt;
    words.push_back(std::move(*word));
  }
  return words;
}

std::vector<DecodedWord> words_of_segments(const Json& segments) {
  std::vector<DecodedWord> words;
  for (const Json& segment : segments) {
    if (!segment.is_object()) continue;
    auto inner = timed_words(segment, "words");
    if (!inner) {
      const double start = number_of(segment, "start").value_or(0);
      const double end = number_of(segment, "end").value_or(start);
      inner = spread_words(text_of(segment, "text"), to_ms(start), to_ms(end), kUntoldConfidence);
    }
    words.insert(words.end(), inner->begin(), inner->end());
    if (words.size() > kDecodedWordsMax) break;
  }
  words.resize(std::min(words.size(), kDecodedWordsMax));
  return words;
}

/// sherpa's tokens are pieces of words; a piece that begins with a space or U+2581 begins a word.
bool begins_word(std::string_view token) {
  return token.starts_with(' ') || token.starts_with("\xE2\x96\x81");
}

std::string_view without_mark(std::string_view token) {
  if (token.starts_with("\xE2\x96\x81")) return token.substr(3);
  return token.starts_with(' ') ? token.substr(1) : token;
}

/// Words from pieces and their start times [s]; a word lasts until the next begins.
std::optional<std::vector<DecodedWord>> join_tokens(const Json& object, std::int64_t span_ms) {
  const Json* tokens = member(object, "tokens");
  const Json* times = member(object, "timestamps");
  if (tokens == nullptr || times == nullptr || !tokens->is_array() || !times->is_array() ||
      tokens->size() != times->size() || tokens->size() > 4 * kDecodedWordsMax)
    return std::nullopt;
  const double offset = number_of(object, "start_time").value_or(0);
  std::vector<DecodedWord> words;
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    if (!(*tokens)[i].is_string() || !(*times)[i].is_number()) return std::nullopt;
    const auto token = (*tokens)[i].get<std::string>();
    const std::int32_t at_ms = to_ms(offset + (*times)[i].get<double>());
    if (words.empty() || begins_word(token)) {
      if (!words.empty()) words.back().end_ms = std::max(words.back().start_ms, at_ms);
      words.push_back({"", at_ms, at_ms, kUntoldConfidence});
    }
    words.back().text += without_mark(token);
    if (words.back().text.size() > kDecodedWordBytesMax) return std::nullopt;
  }
  if (!words.empty()) {
    const auto end_ms = static_cast<std::int32_t>(std::clamp<std::int64_t>(span_ms, 0, INT32_MAX));
    words.back().end_ms =
        std::max(words.back().start_ms, std::min(words.back().start_ms + 600, end_ms));
  }
  std::erase_if(words, [](const DecodedWord& word) { return word.text.empty(); });
  return words;
}

}  // namespace

std::optional<Transcription> parse_vosk(std::string_view json, std::int64_t span_ms) {
  const auto object = parse_object(json);
  if (!object) return std::nullopt;
  Transcription heard;
  heard.is_final = object->contains("text");
  if (!heard.is_final && !object->contains("partial")) return std::nullopt;
  const char* list = heard.is_final ? "result" : "partial_result";
  auto words = timed_words(*object, list);
  if (!words) {
    words = spread_words(
        text_of(*object, heard.is_final ? "text" : "partial"), 0, span_ms, kUntoldConfidence);
  }
  heard.words = std::move(*words);
  return heard;
}

std::string vosk_config(const std::vector<std::string>& phrases) {
  Json config{{"sample_rate", 16000}, {"words", true}};
  if (!phrases.empty()) config["phrase_list"] = phrases;
  return Json{{"config", std::move(config)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<SherpaResult> parse_sherpa(std::string_view json, std::int64_t span_ms) {
  const auto object = parse_object(json);
  if (!object || !object->contains("text")) return std::nullopt;
  SherpaResult result;
  const Json* is_final = member(*object, "is_final");
  result.transcription.is_final = is_final != nullptr && is_final->is_boolean() && *is_final;
  result.segment =
      static_cast<std::int64_t>(std::clamp(number_of(*object, "segment").value_or(0), 0.0, 1e9));
  auto words = join_tokens(*object, span_ms);
  if (!words || words->empty())
    words = spread_words(text_of(*object, "text"), 0, span_ms, kUntoldConfidence);
  result.transcription.words = std::move(*words);
  return result;
}

std::optional<Transcription> parse_openai(std::string_view json, std::int64_t span_ms) {
  const auto object = parse_object(json);
  if (!object) return std::nullopt;
  const Json* text = member(*object, "text");
  if (text == nullptr || !text->is_string()) return std::nullopt;
  Transcription heard;
  heard.is_final = true;
  heard.language = text_of(*object, "language").substr(0, 40);
  if (auto words = timed_words(*object, "words")) {
    heard.words = std::move(*words);
    return heard;
  }
  const Json* segments = member(*object, "segments");
  if (segments != nullptr && segments->is_array()) heard.words = words_of_segments(*segments);
  if (heard.words.empty())
    heard.words = spread_words(text->get<std::string>(), 0, span_ms, kUntoldConfidence);
  return heard;
}

}  // namespace qylon::models
