#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace qylon::diarization {

/// Splits a line at runs of spaces and tabs; a carriage return at its end is dropped.
std::vector<std::string_view> line_fields(std::string_view line);

/// A finite decimal number that fills the whole field.
std::optional<double> parse_seconds(std::string_view field) noexcept;

/// A time of a recording: seconds, at least 0 and at most 1e9.
std::optional<double> parse_time(std::string_view field) noexcept;

/// Appends a name as one field: blanks become '_', an empty one <NA>.
void append_name(std::string& out, std::string_view name);
/// Appends seconds (or another number from 0 on) with three decimals.
void append_seconds(std::string& out, double seconds);

/// "line 3: ..." as kInvalidArgument.
Error line_error(std::size_t line, std::string_view problem);

/// Cuts the next line off `text`, without its line feed.
std::string_view take_line(std::string_view& text) noexcept;

}  // namespace qylon::diarization
