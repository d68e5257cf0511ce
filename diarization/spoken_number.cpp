#include "diarization/spoken_number.hpp"

#include <array>
#include <cstddef>

namespace qylon::diarization {
namespace {

constexpr std::array<std::string_view, 20> kSmall = {
    "zero",     "one",     "two",     "three",     "four",     "five",    "six",
    "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array<std::string_view, 10> kTens =
    {"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
constexpr std::size_t kDigitsMax = 6;

void append_word(std::string& out, std::string_view word) {
  if (!out.empty() && out.back() != ' ') out += ' ';
  out += word;
}

/// 1..999.
void append_hundreds(std::string& out, std::size_t value) {
  if (value >= 100) {
    append_word(out, kSmall[value / 100]);
    append_word(out, "hundred");
  }
  const std::size_t rest = value % 100;
  if (rest >= 20) {
    append_word(out, kTens[rest / 10]);
    if (rest % 10 != 0) append_word(out, kSmall[rest % 10]);
  } else if (rest > 0) {
    append_word(out, kSmall[rest]);
  }
}

}  // namespace

void append_spoken_number(std::string& out, std::string_view digits) {
  const bool one_by_one = digits.size() > kDigitsMax || digits.front() == '0';
  std::size_t value = 0;
  for (const char digit : digits) {
    const auto ones = static_cast<std::size_t>(digit - '0');
    value = value * 10 + ones;
    if (one_by_one) append_word(out, kSmall[ones]);
  }
  if (one_by_one) return;
  if (value >= 1000) {
    append_hundreds(out, value / 1000);
    append_word(out, "thousand");
  }
  append_hundreds(out, value % 1000);
}

}  // namespace qylon::diarization
