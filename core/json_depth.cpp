#include "core/json_depth.hpp"

#include <cstddef>

namespace qylon {
namespace {

/// Where the string that begins at `open` ends: at its closing quote, or at the end of `text`.
std::size_t end_of_string(std::string_view text, std::size_t open) noexcept {
  std::size_t at = open + 1;
  while (at < text.size() && text[at] != '"')
    at += text[at] == '\\' ? 2 : 1;
  return at;
}

}  // namespace

bool json_is_deeper_than(std::string_view text, int depth_max) noexcept {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '"':
        i = end_of_string(text, i);
        break;
      case '[':
      case '{':
        ++depth;
        break;
      case ']':
      case '}':
        --depth;
        break;
      default:
        break;
    }
    if (depth > depth_max) return true;
  }
  return false;
}

}  // namespace qylon
