#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace qylon::diarization {

/// Word errors of one or more utterances.
struct Wer {
  int reference_words = 0;
  int substitutions = 0;
  int deletions = 0;
  int insertions = 0;

  int errors() const noexcept { return substitutions + deletions + insertions; }
  double percent() const noexcept;  ///< Infinite when nothing was said and something was heard.
  Wer& operator+=(const Wer& other) noexcept;
};

/// One line of a transcript file: `name<TAB>words`.
struct NamedText {
  std::string name;
  std::string text;
};

/// Words as they are compared: lower case, punctuation stripped (an apostrophe inside a word
/// stays), numbers spelled in English, a few spellings unified (mr -> mister, colour -> color).
std::vector<std::string> normalised_words(std::string_view text);

/// Minimum edit distance over normalised words.
Wer score_wer(std::string_view reference, std::string_view hypothesis);

/// Reads `name<TAB>words` lines; errors name the line.
Result<std::vector<NamedText>> parse_named_texts(std::string_view text);
/// Pairs by name; a reference without hypothesis counts as deleted, a hypothesis without reference
/// is an error that names it.
Result<Wer> score_wer(std::span<const NamedText> reference, std::span<const NamedText> hypothesis);

/// "WER 21.80 sub 12.03 del 4.51 ins 5.26 words 133", in percent of reference words.
std::string format_wer(const Wer& wer);

}  // namespace qylon::diarization
