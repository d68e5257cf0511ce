#pragma once
/// One line per event on a file descriptor: time, level, event, then key=value pairs (logfmt), or
/// one JSON object with the members time, level, event and the keys, all of them strings.
/// Control plane only: the audio path counts (core/counters.hpp) instead of logging.

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/clock.hpp"

namespace qylon {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : std::uint8_t { kLogfmt, kJson };

struct LogField {
  std::string_view key;  ///< snake_case.
  std::string value;     ///< Quoted and escaped when needed. Never a secret.
};

/// Hears of every line at level error, on the thread that writes it. Must not block or log.
class LogObserver {
 public:
  LogObserver() = default;
  virtual ~LogObserver() = default;
  LogObserver(const LogObserver&) = delete;
  LogObserver& operator=(const LogObserver&) = delete;
  LogObserver(LogObserver&&) = delete;
  LogObserver& operator=(LogObserver&&) = delete;

  virtual void on_error(std::string_view event, std::initializer_list<LogField> fields) = 0;
};

/// Threads: every method is safe from any thread; one write(2) per line, so lines never mix.
class Log {
 public:
  /// `clock` must outlive the log. `fd` is borrowed; 2 is stderr.
  Log(const Clock& clock, LogLevel threshold, int fd = 2, LogFormat format = LogFormat::kLogfmt)
      : clock_(clock), threshold_(threshold), fd_(fd), format_(format) {}

  /// Lines below `threshold` are left out from now on.
  void set_threshold(LogLevel threshold) noexcept { threshold_ = threshold; }

  /// Null: nobody. The observer before may go once no thread writes any more.
  void set_observer(LogObserver* observer) noexcept { observer_ = observer; }

  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::kDebug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::kInfo, event, fields);
  }
  void warn(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::kWarn, event, fields);
  }
  void error(std::string_view event, std::initializer_list<LogField> fields = {}) const {
    write(LogLevel::kError, event, fields);
  }
  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) const;

 private:
  const Clock& clock_;
  std::atomic<LogLevel> threshold_;
  std::atomic<LogObserver*> observer_{nullptr};
  const int fd_;
  const LogFormat format_;
};

/// `wall_us` as RFC 3339 UTC with milliseconds, e.g. 2026-11-21T11:00:00.123Z.
std::string format_utc(std::int64_t wall_us);

}  // namespace qylon
