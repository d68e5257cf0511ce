#pragma once
/// Errors of the log, sent to where errors are collected.

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "api/core/outbound.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "core/result.hpp"
#include "core/sync.hpp"
#include "core/token_bucket.hpp"

namespace qylon::api {

/// Sends each error line of a log to a server that speaks as Sentry's does. Who asked, from where
/// and for which path is left out.
///
/// Bound   : ten at once and then one a second; the rest is counted as dropped.
/// Threads : on_error() from any thread; it does not block and does not log.
/// Source  : Sentry developer documentation, "Envelopes" and "Overview" (X-Sentry-Auth, DSN).
class ErrorReports final : public LogObserver {
 public:
  /// `dsn` is "https://KEY@HOST/PROJECT"; its host may be private, without TLS.
  /// Errors: kInvalidArgument that shows the form.
  static Result<std::unique_ptr<ErrorReports>> create(const std::string& dsn,
                                                      const Clock& clock,
                                                      Counters& counters);

  void on_error(std::string_view event, std::initializer_list<LogField> fields) override;

 private:
  struct Target {
    std::string url;
    std::string authority;
    std::string key;
  };
  static Result<Target> parse_dsn(const std::string& dsn);
  ErrorReports(Target target, const Clock& clock, Counters& counters);

  const Target target_;  // Constant after construction.
  const Clock& clock_;
  Counter& sent_;
  Counter& dropped_;
  Counter& failed_;
  Mutex mutex_;
  TokenBucket rate_ QYLON_GUARDED_BY(mutex_);
  Outbound outbound_;
};

}  // namespace qylon::api
