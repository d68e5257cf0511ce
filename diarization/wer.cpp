#include "diarization/wer.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <utility>

#include "diarization/interval_lines.hpp"
#include "diarization/spoken_number.hpp"

namespace qylon::diarization {
namespace {

using Spelling = std::pair<std::string_view, std::string_view>;
/// Spellings that sound alike, so that a recogniser is not blamed for orthography.
constexpr std::array<Spelling, 9> kSpellings = {{{"mr", "mister"},
                                                 {"mrs", "missus"},
                                                 {"dr", "doctor"},
                                                 {"colour", "color"},
                                                 {"grey", "gray"},
                                                 {"ok", "okay"},
                                                 {"oh", "o"},
                                                 {"cannot", "can not"},
                                                 {"alright", "all right"}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
/// Bytes of other scripts count as letters: UTF-8 sequences are compared as they are.
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && is_digit(text[at]);
}
bool is_letter_at(std::string_view text, std::size_t at) {
  return at < text.size() && is_letter(text[at]);
}

/// Lower case; typographic apostrophes become plain ones.
std::string folded(std::string_view text) {
  constexpr std::string_view kTypographic = "\xE2\x80\x99";
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, kTypographic.size()) == kTypographic) {
      out += '\'';
      i += kTypographic.size() - 1;
    } else if (text[i] >= 'A' && text[i] <= 'Z') {
      out += static_cast<char>(text[i] - 'A' + 'a');
    } else {
      out += text[i];
    }
  }
  return out;
}

/// Length of a recogniser's mark that is no word, at `at`: <sil>, [noise], ++breath++, and the
/// number of an alternative pronunciation, as in read(2). 0 when there is none.
std::size_t mark_length(std::string_view text, std::size_t at) {
  const auto until = [&](std::string_view closing, std::size_t from) -> std::size_t {
    const std::size_t end = text.find(closing, from);
    const bool inside_word = end != std::string_view::npos && text.find(' ', at) > end;
    return inside_word ? end + closing.size() - at : 0;
  };
  if (text[at] == '<') return until(">", at + 1);
  if (text[at] == '[') return until("]", at + 1);
  if (text.substr(at, 2) == "++") return until("++", at + 2);
  if (text[at] == '(' && is_digit_at(text, at + 1)) return until(")", at + 1);
  return 0;
}

/// Appends the number at `at` as words and returns the position behind it. 1,000 is one number.
std::size_t append_number(std::string& out, std::string_view text, std::size_t at) {
  std::string digits;
  while (is_digit_at(text, at)) {
    digits += text[at++];
    if (at < text.size() && text[at] == ',' && is_digit_at(text, at + 1)) ++at;
  }
  out += ' ';
  append_spoken_number(out, digits);
  out += ' ';
  if (at < text.size() && text[at] == '.' && is_digit_at(text, at + 1)) {
    out += "point";
    return at;
  }
  return at;
}

/// Words separated by single characters; everything that is no word is a space.
std::string spoken(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t mark = mark_length(text, i); mark > 0) {
      i += mark;
    } else if (is_digit(text[i])) {
      i = append_number(out, text, i);
    } else if (is_letter(text[i])) {
      out += text[i++];
    } else if (text[i] == '\'' && i > 0 && is_letter(text[i - 1]) && is_letter_at(text, i + 1)) {
      out += text[i++];
    } else {
      out += ' ';
      ++i;
    }
  }
  return out;
}

double percent_of(int part, int whole) {
  if (whole > 0) return 100.0 * part / whole;
  return part > 0 ? std::numeric_limits<double>::infinity() : 0.0;
}

/// A prefix pair's cheapest alignment.
struct Alignment {
  int cost = 0;
  Wer wer;
};

Alignment extended(Alignment from, int Wer::*kind) {
  ++from.cost;
  if (kind != nullptr) ++(from.wer.*kind);
  return from;
}

}  // namespace

double Wer::percent() const noexcept {
  return percent_of(errors(), reference_words);
}

Wer& Wer::operator+=(const Wer& other) noexcept {
  reference_words += other.reference_words;
  substitutions += other.substitutions;
  deletions += other.deletions;
  insertions += other.insertions;
  return *this;
}

std::vector<std::string> normalised_words(std::string_view text) {
  const std::string separated = spoken(folded(text));
  std::vector<std::string> words;
  for (const std::string_view word : line_fields(separated)) {
    const auto* const spelling = std::find_if(
        kSpellings.begin(), kSpellings.end(), [&](const Spelling& s) { return s.first == word; });
    const std::string_view unified = spelling == kSpellings.end() ? word : spelling->second;
    for (const std::string_view part : line_fields(unified))
      words.emplace_back(part);
  }
  return words;
}

Wer score_wer(std::string_view reference, std::string_view hypothesis) {
  const std::vector<std::string> said = normalised_words(reference);
  const std::vector<std::string> heard = normalised_words(hypothesis);
  std::vector<Alignment> row(heard.size() + 1);
  for (std::size_t j = 1; j < row.size(); ++j)
    row[j] = extended(row[j - 1], &Wer::insertions);
  for (const std::string& word : said) {
    Alignment diagonal = row[0];
    row[0] = extended(row[0], &Wer::deletions);
    for (std::size_t j = 1; j < row.size(); ++j) {
      Alignment best = word == heard[j - 1] ? diagonal : extended(diagonal, &Wer::substitutions);
      if (row[j].cost + 1 < best.cost) best = extended(row[j], &Wer::deletions);
      if (row[j - 1].cost + 1 < best.cost) best = extended(row[j - 1], &Wer::insertions);
      diagonal = row[j];
      row[j] = best;
    }
  }
  Wer wer = row.back().wer;
  wer.reference_words = static_cast<int>(said.size());
  return wer;
}

Result<std::vector<NamedText>> parse_named_texts(std::string_view text) {
  std::vector<NamedText> out;
  for (std::size_t line = 1; !text.empty(); ++line) {
    std::string_view content = take_line(text);
    if (content.ends_with('\r')) content.remove_suffix(1);
    if (content.empty()) continue;
    const std::size_t tab = content.find('\t');
    if (tab == 0 || tab == std::string_view::npos) {
      return line_error(line, "a transcript line is a name, a tab and the words");
    }
    out.push_back({std::string(content.substr(0, tab)), std::string(content.substr(tab + 1))});
  }
  return out;
}

Result<Wer> score_wer(std::span<const NamedText> reference, std::span<const NamedText> hypothesis) {
  std::map<std::string_view, std::string_view> heard;
  for (const NamedText& entry : hypothesis) {
    if (!heard.emplace(entry.name, entry.text).second) {
      return Error{ErrorCode::kInvalidArgument, "the hypothesis has " + entry.name + " twice"};
    }
  }
  Wer total;
  for (const NamedText& entry : reference) {
    const auto found = heard.find(entry.name);
    total += score_wer(entry.text, found == heard.end() ? std::string_view() : found->second);
    if (found != heard.end()) heard.erase(found);
  }
  if (!heard.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "the hypothesis has " + std::string(heard.begin()->first) +
                     ", which the reference has not (or twice)"};
  }
  return total;
}

std::string format_wer(const Wer& wer) {
  char text[160];
  std::snprintf(text,
                sizeof text,
                "WER %.2f sub %.2f del %.2f ins %.2f words %d",
                wer.percent(),
                percent_of(wer.substitutions, wer.reference_words),
                percent_of(wer.deletions, wer.reference_words),
                percent_of(wer.insertions, wer.reference_words),
                wer.reference_words);
  return text;
}

}  // namespace qylon::diarization
