#include "diarization/interval_lines.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace qylon::diarization {
namespace {

/// Later than any recording, and small enough that sums of such times stay exact to a microsecond.
constexpr double kSecondsMax = 1e9;

}  // namespace

std::vector<std::string_view> line_fields(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  std::vector<std::string_view> fields;
  std::size_t start = line.find_first_not_of(kBlanks);
  while (start != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(kBlanks, start), line.size());
    fields.push_back(line.substr(start, end - start));
    start = line.find_first_not_of(kBlanks, end);
  }
  return fields;
}

std::optional<double> parse_seconds(std::string_view field) noexcept {
  double value = 0;
  const char* end = field.data() + field.size();
  const auto [stopped, error] = std::from_chars(field.data(), end, value);
  if (error != std::errc{} || stopped != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> parse_time(std::string_view field) noexcept {
  const std::optional<double> seconds = parse_seconds(field);
  if (!seconds || *seconds < 0 || *seconds > kSecondsMax) return std::nullopt;
  return seconds;
}

void append_name(std::string& out, std::string_view name) {
  if (name.empty()) {
    out += "<NA>";
    return;
  }
  const std::size_t start = out.size();
  out += name;
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(start),
      out.end(),
      [](char c) { return static_cast<unsigned char>(c) <= ' '; },
      '_');
}

void append_seconds(std::string& out, double seconds) {
  char digits[32];
  const double shown = std::clamp(seconds, 0.0, 2 * kSecondsMax);
  const auto [end, error] =
      std::to_chars(digits, digits + sizeof digits, shown, std::chars_format::fixed, 3);
  if (error == std::errc{}) out.append(digits, end);
}

Error line_error(std::size_t line, std::string_view problem) {
  std::string message = "line " + std::to_string(line) + ": ";
  message += problem;
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

std::string_view take_line(std::string_view& text) noexcept {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace qylon::diarization
