#include "api/core/router.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "api/core/permit.hpp"
#include "api/core/trace_context.hpp"
#include "api/http_answers.hpp"
#include "core/ids.hpp"
#include "core/json_depth.hpp"
#include "core/problem_json.hpp"

namespace qylon::api {
namespace {

constexpr int kBodyDepthMax = 32;

HttpResponse no_route(const RouteTable::Match& match) {
  if (match.allow.empty()) {
    return problem(
        {ErrorCode::kNotFound, "there is nothing at this path; docs/PROTOCOL.md lists the routes"});
  }
  HttpResponse response =
      problem_answer({.status = 405,
                      .code = "method_not_allowed",
                      .detail = "this path does not take the method; it takes " + match.allow});
  response.headers.emplace_back("Allow", match.allow);
  return response;
}

/// What every answer says about its request.
void sign(const Call& call, HttpResponse& response) {
  response.headers.emplace_back("X-Request-Id", call.request_id);
  response.headers.emplace_back("traceparent", call.traceparent);
  if (response.content_type != "application/problem+json") return;
  // Since this version auth-js, which names it, reads `code`.
  if (!call.request.header("x-supabase-api-version").empty())
    response.headers.emplace_back("X-Supabase-Api-Version", "2024-01-01");
  // Every problem is one object of problem_answer().
  if (response.body.starts_with('{'))
    response.body.insert(1, "\"instance\":\"urn:uuid:" + call.request_id + "\",");
}

Status check_body(const HttpRequest& request) {
  const bool is_json = request.content_type.find("json") != std::string::npos;
  if (!is_json || !json_is_deeper_than(request.body, kBodyDepthMax)) return ok();
  return Error{ErrorCode::kInvalidArgument,
               "the JSON may nest at most " + std::to_string(kBodyDepthMax) + " levels deep"};
}

TokenBucket::Options bucket(double per_s) {
  return {.per_s = per_s, .burst = per_s * 2};
}

}  // namespace

Router::Router(const Limits& limits, const Parts& parts)
    : parts_(parts),
      by_address_(bucket(limits.per_address)),
      by_user_(bucket(limits.per_user)),
      by_org_(bucket(limits.per_org)),
      limited_(parts.counters.counter("qylon_http_rate_limited_total",
                                      "Requests refused because their caller asks too often.")),
      log_(std::make_shared<RequestLog>(parts.log, parts.counters)) {}

void Router::add(std::vector<Route> routes) {
  const std::size_t known = table_.routes().size();
  table_.add(std::move(routes));
  for (std::size_t i = known; i < table_.routes().size(); ++i)
    log_->add(table_.routes()[i]);
}

std::optional<HttpResponse> Router::limit(RateLimit& limit, std::string_view key) {
  if (key.empty() || limit.take(key, parts_.clock.monotonic_us())) return std::nullopt;
  limited_.add();
  HttpResponse response =
      problem_answer({.status = 429,
                      .code = "over_request_rate_limit",
                      .detail = "too many requests; go on in a second, and more slowly"});
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

std::optional<HttpResponse> Router::refuse(const RouteTable::Match& match, Call& call) {
  const HttpRequest& request = call.request;
  if (!request.peer_is_loopback) {
    if (auto limited = limit(by_address_, request.peer_address)) return limited;
  }
  if (match.route == nullptr) return no_route(match);
  if (match.route->permission != Permission::kOpen) {
    auto caller = identify(parts_.access, request);
    // Who shows nothing, or a cookie that no longer stands, comes there as nobody.
    if (!caller && match.route->permission == Permission::kAnyone && shows_nothing(request))
      caller = Principal{};
    if (!caller) return problem(caller.error());
    const Status permitted = permit(*caller, match.route->permission);
    if (!permitted) return problem(permitted.error());
    call.principal = *std::move(caller);
    if (auto limited = limit(by_user_, call.principal.user)) return limited;
    if (auto limited = limit(by_org_, call.principal.org)) return limited;
  }
  const Status fine = check_body(request);
  if (!fine) return problem(fine.error());
  return std::nullopt;
}

void Router::handle(HttpRequest request, HttpReply reply) {
  RouteTable::Match match = table_.find(request.method, request.path);
  const auto call = std::make_shared<Call>();
  call->captures = std::move(match.captures);
  call->request_id = Uuid::random().to_string();
  call->traceparent = continue_trace(request.header("traceparent"));
  call->request = std::move(request);
  HttpReply answer = [call,
                      reply = std::move(reply),
                      log = log_,
                      route = match.route,
                      &clock = parts_.clock,
                      since_us = parts_.clock.monotonic_us()](HttpResponse response) {
    log->record(*call, route, response, clock.monotonic_us() - since_us);
    sign(*call, response);
    reply(std::move(response));
  };
  if (auto refusal = refuse(match, *call)) return answer(*std::move(refusal));
  if (parts_.idempotency != nullptr && Idempotency::applies(*call, *match.route))
    return parts_.idempotency->run(call, *match.route, std::move(answer));
  match.route->handler(call, std::move(answer));
}

}  // namespace qylon::api
