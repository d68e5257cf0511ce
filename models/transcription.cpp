#include "models/transcription.hpp"

#include <algorithm>

namespace qylon::models {
namespace {

std::vector<std::string_view> split(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::vector<std::string_view> words;
  while (words.size() < kDecodedWordsMax) {
    const std::size_t start = text.find_first_not_of(kSpace);
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const std::size_t end = std::min(text.find_first_of(kSpace), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

}  // namespace

std::vector<DecodedWord> spread_words(std::string_view text,
                                      std::int64_t start_ms,
                                      std::int64_t end_ms,
                                      float confidence) {
  const std::vector<std::string_view> words = split(text);
  std::size_t letters = 0;
  for (const std::string_view word : words)
    letters += word.size();
  const double ms_per_letter =
      letters > 0 ? static_cast<double>(std::max<std::int64_t>(0, end_ms - start_ms)) /
                        static_cast<double>(letters)
                  : 0.0;
  std::vector<DecodedWord> list;
  std::size_t before = 0;
  for (const std::string_view word : words) {
    DecodedWord timed;
    timed.text = word.substr(0, kDecodedWordBytesMax);
    timed.start_ms = static_cast<std::int32_t>(static_cast<double>(start_ms) +
                                               static_cast<double>(before) * ms_per_letter);
    before += word.size();
    timed.end_ms = static_cast<std::int32_t>(static_cast<double>(start_ms) +
                                             static_cast<double>(before) * ms_per_letter);
    timed.confidence = confidence;
    list.push_back(std::move(timed));
  }
  return list;
}

}  // namespace qylon::models
