#include "api/route.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace qylon::api {
namespace {

/// Cuts the first segment off `path`, which begins with '/'.
std::string_view take_segment(std::string_view& path) noexcept {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, std::min(path.find('/'), path.size()));
  path.remove_prefix(segment.size());
  return segment;
}

}  // namespace

std::optional<Captures> match_path(std::string_view pattern, std::string_view path) noexcept {
  Captures captures{};
  std::size_t count = 0;
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const std::string_view expected = take_segment(pattern);
    const std::string_view segment = take_segment(path);
    if (!expected.starts_with('{')) {
      if (segment != expected) return std::nullopt;
      continue;
    }
    if (segment.empty()) return std::nullopt;
    QYLON_CHECK(count < captures.size());
    captures[count++] = segment;
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return captures;
}

}  // namespace qylon::api
