#pragma once
/// One request on its way through the platform.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/http.hpp"
#include "core/principal.hpp"

namespace qylon::api {

/// What a handler knows. Constant, and shared by the database jobs that it starts.
struct Call {
  HttpRequest request;
  Principal principal;                ///< "anon" on routes that ask nobody.
  std::vector<std::string> captures;  ///< What stood where the pattern has braces, in order.
  std::string request_id;             ///< UUID; in the log, and in X-Request-Id of the answer.
  std::string traceparent;            ///< W3C Trace Context of this request, for what it causes.
};
using CallPtr = std::shared_ptr<const Call>;

/// Answers a call, now or later and from any thread, exactly once. Must not block: it runs on a
/// net thread.
using RouteHandler = std::function<void(const CallPtr& call, HttpReply reply)>;

}  // namespace qylon::api
