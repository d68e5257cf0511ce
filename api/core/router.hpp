#pragma once

#include <string>
#include <vector>

#include "api/core/route_table.hpp"
#include "core/access.hpp"
#include "core/http.hpp"

namespace qylon::api {

/// Takes every HTTP request to its route: the one place that answers 401, 403, 404 and 405, and
/// that refuses JSON nested deeper than 32 levels. Every answer carries X-Request-Id and a
/// `traceparent` that goes on with the request's (W3C Trace Context); a problem names the request
/// as its `instance`.
///
/// Threads : add() by one thread before the first handle(); handle() from any thread, never blocks.
class Router final : public HttpHandler {
 public:
  /// All must outlive the router and the calls under way.
  struct Parts {
    const Access& access;
  };
  explicit Router(const Parts& parts) : parts_(parts) {}

  /// REQUIRES: as RouteTable::add().
  void add(std::vector<Route> routes) { table_.add(std::move(routes)); }
  const RouteTable& table() const noexcept { return table_; }

  void handle(HttpRequest request, HttpReply reply) override;

 private:
  Status admit(const Route& route, Call& call) const;

  const Parts parts_;
  RouteTable table_;
};

}  // namespace qylon::api
