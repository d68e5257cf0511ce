#include "core/log.hpp"

#include <array>
#include <chrono>
#include <cstdio>

#include <unistd.h>

#include "core/utf8.hpp"

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

/// RFC 8259 section 7. What is not UTF-8 is shown as '?'.
void append_json(std::string& line, std::string_view value) {
  const std::string_view shown = value.substr(0, kValueBytesMax);
  const bool is_text = is_utf8(shown);
  line += '"';
  for (const char c : shown) {
    if (c == '"' || c == '\\') {
      (line += '\\') += c;
    } else if (static_cast<unsigned char>(c) < ' ') {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned char>(c));
      line += escaped.data();
    } else {
      line += !is_text && static_cast<unsigned char>(c) >= 0x80 ? '?' : c;
    }
  }
  line += '"';
}

std::string logfmt_line(std::string_view time,
                        std::string_view level,
                        std::string_view event,
                        std::initializer_list<LogField> fields) {
  std::string line;
  line.append(time).append(" ").append(level).append(" ").append(event);
  for (const LogField& field : fields) {
    line.append(" ").append(field.key).append("=");
    append_value(line, field.value);
  }
  return line;
}

std::string json_line(std::string_view time,
                      std::string_view level,
                      std::string_view event,
                      std::initializer_list<LogField> fields) {
  std::string line = R"({"time":")";
  line.append(time).append(R"(","level":")").append(level).append(R"(","event":)");
  append_json(line, event);
  for (const LogField& field : fields) {
    line.append(",\"").append(field.key).append("\":");
    append_json(line, field.value);
  }
  return line + '}';
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
  LogObserver* const observer = observer_;
  if (level == LogLevel::kError && observer != nullptr) observer->on_error(event, fields);
  if (level < threshold_) return;
  const std::string time = format_utc(clock_.wall_us());
  const std::string_view name = kLevelNames[static_cast<std::size_t>(level)];
  const auto print = format_ == LogFormat::kJson ? json_line : logfmt_line;
  const std::string line = print(time, name, event, fields) + '\n';
  // A log that cannot be written has nowhere to say so; losing the line is the only choice left.
  [[maybe_unused]] const auto written = ::write(fd_, line.data(), line.size());
}

}  // namespace qylon
