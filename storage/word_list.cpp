#include "storage/word_list.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace qylon::storage {
namespace {

void append_text(std::string& list, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  list += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (list += '\\') += c;
    } else if (byte >= ' ') {
      list += c;
    } else if (byte != 0) {
      ((list += "\\u00") += kHex[byte >> 4]) += kHex[byte & 15];
    }
  }
  list += '"';
}

template <typename Number>
void append_number(std::string& list, Number value) {
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), value);
  (list += ',').append(digits, end);
}

}  // namespace

std::string encode_words(std::span<const Word> words) {
  std::string list = "[";
  for (const Word& word : words) {
    list += list.size() > 1 ? ",[" : "[";
    append_text(list, word.text);
    append_number(list, word.start_ms);
    append_number(list, word.end_ms);
    append_number(list, unit_interval(word.confidence));
    list += ']';
  }
  return list + ']';
}

float unit_interval(float value) {
  return value >= 0.0F ? std::min(value, 1.0F) : 0.0F;  // NaN fails the comparison.
}

}  // namespace qylon::storage
