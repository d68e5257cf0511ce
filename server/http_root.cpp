#include "server/http_root.hpp"

#include <optional>
#include <string>
#include <utility>

#include "api/http_answers.hpp"

namespace qylon::server {
namespace {

HttpResponse text(std::string body, std::string content_type) {
  HttpResponse response;
  response.content_type = std::move(content_type);
  response.body = std::move(body);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace

HttpResponse HttpRoot::ready() const {
  if (!parts_.database.healthy()) {
    return api::problem({ErrorCode::kUnavailable, "PostgreSQL does not answer"});
  }
  if (!parts_.journal.writable()) {
    return api::problem({ErrorCode::kUnavailable, "the journal cannot be written"});
  }
  return api::json_answer(200, R"({"status":"ready"})");
}

void HttpRoot::handle(HttpRequest request, HttpReply reply) {
  const bool creates = request.method == "POST" && request.path == "/api/meetings";
  if (creates && !parts_.journal.takes_new_streams()) {
    return reply(api::problem({ErrorCode::kUnavailable, "the disk takes no new streams"}));
  }
  if (api::SpeakersApi::takes(request.path)) {
    speakers_.handle(std::move(request), std::move(reply));
    return;
  }
  if (request.path.starts_with("/api/")) {
    parts_.api.handle(std::move(request), std::move(reply));
    return;
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return reply(api::method_not_allowed("GET, HEAD"));
  }
  if (request.path == "/health") return reply(api::json_answer(200, R"({"status":"ok"})"));
  std::optional<HttpResponse> page = web::serve_page(request);
  if (page) return reply(*std::move(page));

  const auto principal = api::identify(parts_.access, request);
  if (!principal) return reply(api::problem(principal.error()));
  if (request.path == "/ready") return reply(ready());
  if (request.path == "/metrics") {
    return reply(text(parts_.counters.render(), "text/plain; version=0.0.4; charset=utf-8"));
  }
  reply(api::problem({ErrorCode::kNotFound, "no such route; docs/PROTOCOL.md lists them"}));
}

}  // namespace qylon::server
