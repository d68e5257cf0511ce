#include "realtime/byte_range.hpp"

#include <algorithm>
#include <charconv>

namespace qylon::realtime {
namespace {

std::optional<std::uint64_t> parse_position(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size() || error != std::errc{}) return std::nullopt;
  return value;
}

ByteRange last_bytes(std::uint64_t wanted, std::uint64_t file_bytes) {
  const std::uint64_t count = std::min(wanted, file_bytes);
  return {file_bytes - count, count};
}

}  // namespace

std::optional<ByteRange> resolve_range(const std::optional<std::string>& range,
                                       std::uint64_t file_bytes) {
  constexpr std::string_view kUnit = "bytes=";
  if (!range || !range->starts_with(kUnit)) return std::nullopt;
  const std::string_view set = std::string_view(*range).substr(kUnit.size());
  const std::size_t dash = set.find('-');
  if (dash == std::string_view::npos || set.find(',') != std::string_view::npos)
    return std::nullopt;
  const auto first = parse_position(set.substr(0, dash));
  const auto last = parse_position(set.substr(dash + 1));
  if (dash == 0) return last ? std::optional(last_bytes(*last, file_bytes)) : std::nullopt;
  const bool is_open = dash + 1 == set.size();
  if (!first || (!last && !is_open) || (last && *last < *first)) return std::nullopt;
  if (*first >= file_bytes) return ByteRange{};
  const std::uint64_t end = last ? std::min(*last, file_bytes - 1) : file_bytes - 1;
  return ByteRange{*first, end - *first + 1};
}

std::string content_range(const ByteRange& range, std::uint64_t file_bytes) {
  const std::string size = "/" + std::to_string(file_bytes);
  if (range.count == 0) return "bytes *" + size;
  return "bytes " + std::to_string(range.first) + "-" +
         std::to_string(range.first + range.count - 1) + size;
}

}  // namespace qylon::realtime
