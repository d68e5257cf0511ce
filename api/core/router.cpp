#include "api/core/router.hpp"

#include <memory>
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
  // Every problem is one object of problem_answer().
  if (response.content_type == "application/problem+json" && response.body.starts_with('{'))
    response.body.insert(1, "\"instance\":\"urn:uuid:" + call.request_id + "\",");
}

Status check_body(const HttpRequest& request) {
  const bool is_json = request.content_type.find("json") != std::string::npos;
  if (!is_json || !json_is_deeper_than(request.body, kBodyDepthMax)) return ok();
  return Error{ErrorCode::kInvalidArgument,
               "the JSON may nest at most " + std::to_string(kBodyDepthMax) + " levels deep"};
}

}  // namespace

Status Router::admit(const Route& route, Call& call) const {
  if (route.permission != Permission::kOpen) {
    auto principal = identify(parts_.access, call.request);
    if (!principal) return principal.error();
    call.principal = *std::move(principal);
  }
  const Status permitted = permit(call.principal, route.permission);
  return permitted ? check_body(call.request) : permitted;
}

void Router::handle(HttpRequest request, HttpReply reply) {
  RouteTable::Match match = table_.find(request.method, request.path);
  const auto call = std::make_shared<Call>();
  call->captures = std::move(match.captures);
  call->request_id = Uuid::random().to_string();
  call->traceparent = continue_trace(request.header("traceparent"));
  call->request = std::move(request);
  HttpReply answer = [call, reply = std::move(reply)](HttpResponse response) {
    sign(*call, response);
    reply(std::move(response));
  };
  if (match.route == nullptr) return answer(no_route(match));
  const Status admitted = admit(*match.route, *call);
  if (!admitted) return answer(problem(admitted.error()));
  match.route->handler(call, std::move(answer));
}

}  // namespace qylon::api
