#include "core/log.hpp"

#include <array>
#include <chrono>
#include <cstdio>

#include <unistd.h>

namespace qylon {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warn", "error"};
constexpr std::size_t kValueBytesMax = 2048;  // A peer's text may end up here: keep lines short.

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F) return true;
  }
  return false;
}

void append_escaped(std::string& line, char c) {
  if (c == '"' || c == '\\') {
    line += '\\';
    line += c;
  } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) {
    std::array<char, 8> hex{};
    std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned char>(c));
    line += hex.data();
  } else {
    line += c;
  }
}

void append_value(std::string& line, std::string_view value) {
  const std::string_view shown = value.substr(0, kValueBytesMax);
  if (!needs_quotes(shown)) {
    line += shown;
    return;
  }
  line += '"';
  for (const char c : shown)
    append_escaped(line, c);
  line += '"';
}

}  // namespace

std::string format_utc(std::int64_t wall_us) {
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds{wall_us}};
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{floor<std::chrono::milliseconds>(time - day)};
  std::array<char, 64> text{};
  std::snprintf(text.data(),
                text.size(),
                "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text.data();
}

void Log::write(LogLevel level,
                std::string_view event,
                std::initializer_list<LogField> fields) const {
  if (level < threshold_) return;
  std::string line = format_utc(clock_.wall_us());
  line += ' ';
  line += kLevelNames[static_cast<std::size_t>(level)];
  line += ' ';
  line += event;
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  line += '\n';
  // A log that cannot be written has nowhere to say so; losing the line is the only choice left.
  [[maybe_unused]] const auto written = ::write(fd_, line.data(), line.size());
}

}  // namespace qylon
