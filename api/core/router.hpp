#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "api/core/idempotency.hpp"
#include "api/core/rate_limit.hpp"
#include "api/core/request_log.hpp"
#include "api/core/route_table.hpp"
#include "core/access.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/http.hpp"
#include "core/log.hpp"

namespace qylon::api {

/// Takes every HTTP request to its route: the one place that answers 401, 403, 404, 405 and 429,
/// and that refuses JSON nested deeper than 32 levels. Every answer carries X-Request-Id and a
/// `traceparent` that goes on with the request's (W3C Trace Context); a problem names the request
/// as its `instance`.
///
/// Limits  : token buckets by address (loopback excepted), by user and by the organisation of the
///           token; the server's own token has none. qylon_http_rate_limited_total counts 429s.
/// Threads : add() by one thread before the first handle(); handle() from any thread, never blocks.
class Router final : public HttpHandler {
 public:
  /// Requests a second; twice as many at once.
  struct Limits {
    double per_address = 50;
    double per_user = 50;
    double per_org = 500;
  };
  /// All must outlive the router and the calls under way.
  struct Parts {
    const Access& access;
    const Clock& clock;
    const Log& log;
    Counters& counters;
    Idempotency* idempotency = nullptr;  ///< Without it Idempotency-Key is not looked at.
  };
  Router(const Limits& limits, const Parts& parts);

  /// REQUIRES: as RouteTable::add().
  void add(std::vector<Route> routes);
  const RouteTable& table() const noexcept { return table_; }

  void handle(HttpRequest request, HttpReply reply) override;

 private:
  /// Nothing when the call may go to its handler.
  std::optional<HttpResponse> refuse(const RouteTable::Match& match, Call& call);
  std::optional<HttpResponse> limit(RateLimit& limit, std::string_view key);

  const Parts parts_;
  RateLimit by_address_;
  RateLimit by_user_;
  RateLimit by_org_;
  Counter& limited_;
  RouteTable table_;
  const std::shared_ptr<RequestLog> log_;  // Shared with the calls under way.
};

}  // namespace qylon::api
