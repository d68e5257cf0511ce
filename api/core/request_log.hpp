#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/core/call.hpp"
#include "api/core/route_table.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "core/sync.hpp"

namespace qylon::api {

/// One line of the log and one observation for every answered request. The line has method, path
/// and the names of the query's parameters, never a value of them, a header or a body.
///
/// Metrics : http_requests_total{method,route,status_code} and
///           qylon_http_request_seconds{method,route}; the route is its pattern, "none" without
///           one.
/// Threads : add() by one thread before the first record(); record() from any thread.
class RequestLog {
 public:
  /// Both must outlive the object.
  RequestLog(const Log& log, Counters& counters);

  void add(const Route& route);
  /// `route` is null when the request found none.
  void record(const Call& call,
              const Route* route,
              const HttpResponse& response,
              std::int64_t duration_us);

 private:
  /// What is counted of one route.
  class Series {
   public:
    Series(Counters& counters, std::string method, std::string route);
    void observe(int status, std::int64_t duration_us) QYLON_EXCLUDES(mutex_);

   private:
    Counters& counters_;
    const std::string method_;
    const std::string route_;
    Histogram& seconds_;
    Mutex mutex_;
    std::vector<std::pair<int, Counter*>> by_status_ QYLON_GUARDED_BY(mutex_);
  };

  const Log& log_;
  Counters& counters_;
  std::deque<Series> series_;
  std::unordered_map<const Route*, Series*> by_route_;  // Constant after the last add().
};

}  // namespace qylon::api
