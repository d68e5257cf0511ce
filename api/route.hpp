#pragma once
/// Matching of paths against patterns such as "/api/meetings/{id}/end".

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace qylon::api {

inline constexpr std::size_t kCapturesMax = 2;
/// What stood where the pattern has braces, in order; views into the path.
using Captures = std::array<std::string_view, kCapturesMax>;

/// Nothing unless every segment matches: a segment in braces takes any text but none, every other
/// one only itself. REQUIRES: at most kCapturesMax segments of `pattern` are in braces.
std::optional<Captures> match_path(std::string_view pattern, std::string_view path) noexcept;

}  // namespace qylon::api
