#include "core/utf8.hpp"

#include <cstdint>

#include "core/check.hpp"

namespace qylon {
namespace {

/// What a lead byte promises (RFC 3629 section 4): length, and the range of the second byte, which
/// is what rules out overlong forms, surrogates and values above U+10FFFF.
struct Lead {
  std::size_t size_bytes;
  std::uint8_t second_min;
  std::uint8_t second_max;
};

Lead lead_of(std::uint8_t byte) noexcept {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

CodePoint first_code_point(std::string_view text) noexcept {
  QYLON_DCHECK(!text.empty());
  const auto byte_at = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte_at(0);
  const Lead lead = lead_of(first);
  if (lead.size_bytes == 0) return {kReplacementCharacter, 1, false};
  if (lead.size_bytes == 1) return {first, 1, true};
  // The lead byte keeps 7 - length bits: 0x1F, 0x0F, 0x07.
  char32_t value = first & (0x7FU >> lead.size_bytes);
  for (std::size_t i = 1; i < lead.size_bytes; ++i) {
    const std::uint8_t min = i == 1 ? lead.second_min : std::uint8_t{0x80};
    const std::uint8_t max = i == 1 ? lead.second_max : std::uint8_t{0xBF};
    if (i >= text.size() || byte_at(i) < min || byte_at(i) > max) {
      return {kReplacementCharacter, i, false};
    }
    value = (value << 6) | (byte_at(i) & 0x3FU);
  }
  return {value, lead.size_bytes, true};
}

void append_utf8(std::string& text, char32_t value) {
  QYLON_CHECK(value <= 0x10FFFF && !(value >= 0xD800 && value <= 0xDFFF));
  const auto add = [&text](char32_t byte) { text += static_cast<char>(byte); };
  if (value < 0x80) {
    add(value);
  } else if (value < 0x800) {
    add(0xC0 | (value >> 6));
    add(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    add(0xE0 | (value >> 12));
    add(0x80 | ((value >> 6) & 0x3F));
    add(0x80 | (value & 0x3F));
  } else {
    add(0xF0 | (value >> 18));
    add(0x80 | ((value >> 12) & 0x3F));
    add(0x80 | ((value >> 6) & 0x3F));
    add(0x80 | (value & 0x3F));
  }
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (!point.valid) return false;
    text.remove_prefix(point.size_bytes);
  }
  return true;
}

std::size_t count_code_points(std::string_view text) noexcept {
  std::size_t count = 0;
  for (; !text.empty(); ++count)
    text.remove_prefix(first_code_point(text).size_bytes);
  return count;
}

}  // namespace qylon
