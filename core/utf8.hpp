#pragma once
/// UTF-8 as RFC 3629 defines it: no surrogates, nothing above U+10FFFF, shortest forms only.

#include <cstddef>
#include <string>
#include <string_view>

namespace qylon {

/// Stands for bytes that are not UTF-8.
inline constexpr char32_t kReplacementCharacter = 0xFFFD;

/// One step of a walk through text.
struct CodePoint {
  char32_t value = kReplacementCharacter;
  std::size_t size_bytes = 0;  ///< How much of the input it took; at least 1.
  bool valid = false;          ///< False: the bytes are no UTF-8 and value is U+FFFD.
};

/// The code point that `text` begins with. A broken sequence takes its longest valid prefix
/// (Unicode 15, section 3.9, "maximal subpart"), so that a walk always ends and loses no valid one.
/// REQUIRES: `text` is not empty.
CodePoint first_code_point(std::string_view text) noexcept;

/// REQUIRES: `value` is a Unicode scalar value.
void append_utf8(std::string& text, char32_t value);

bool is_utf8(std::string_view text) noexcept;
/// Number of code points; a broken sequence counts as one.
std::size_t count_code_points(std::string_view text) noexcept;

}  // namespace qylon
