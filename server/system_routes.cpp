#include "server/system_routes.hpp"

#include <optional>
#include <string>
#include <utility>

#include "api/http_answers.hpp"
#include "server/host_metrics.hpp"
#include "web/assets.hpp"

namespace qylon::server {
namespace {

using api::CallPtr;
using api::Permission;
using api::Route;

HttpResponse ready(const SystemParts& parts) {
  if (!parts.database.healthy()) {
    return api::problem({ErrorCode::kUnavailable, "PostgreSQL does not answer"});
  }
  if (!parts.journal.writable()) {
    return api::problem({ErrorCode::kUnavailable, "the journal cannot be written"});
  }
  return api::json_answer(200, R"({"status":"ready"})");
}

HttpResponse metrics(const SystemParts& parts) {
  HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = parts.counters.render() + host_metrics();
  return response;
}

HttpResponse page(const HttpRequest& request) {
  std::optional<HttpResponse> page = web::serve_page(request);
  if (page) return *std::move(page);
  return api::problem(
      {ErrorCode::kNotFound, "there is nothing at this path; docs/PROTOCOL.md lists the routes"});
}

}  // namespace

std::vector<Route> system_routes(const SystemParts& parts) {
  const auto health = [parts](const CallPtr&, const HttpReply& reply) {
    reply(parts.health.answer());
  };
  return {{"GET", "/health", Permission::kOpen, health},
          {"GET", "/api/health", Permission::kOpen, health},
          {"GET",
           "/ready",
           Permission::kService,
           [parts](const CallPtr&, const HttpReply& reply) { reply(ready(parts)); }},
          {"GET",
           "/metrics",
           Permission::kService,
           [parts](const CallPtr&, const HttpReply& reply) { reply(metrics(parts)); }},
          {"GET", "/{path...}", Permission::kOpen, [](const CallPtr& call, const HttpReply& reply) {
             reply(page(call->request));
           }}};
}

}  // namespace qylon::server
