#include "server/http_root.hpp"

#include <string_view>
#include <utility>

namespace qylon::server {
namespace {

HttpResponse problem(int status,
                     std::string_view title,
                     std::string_view code,
                     std::string detail) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = R"({"type":"about:blank","title":")" + std::string(title) + R"(","status":)" +
                  std::to_string(status) + R"(,"code":")" + std::string(code) + R"(","detail":")" +
                  std::move(detail) + "\"}";
  return response;
}

HttpResponse text(std::string body, std::string content_type) {
  HttpResponse response;
  response.content_type = std::move(content_type);
  response.body = std::move(body);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  return authorization.starts_with(kScheme) ? authorization.substr(kScheme.size())
                                            : std::string_view{};
}

const web::Asset* find_asset(std::string_view path) {
  // One page shows every meeting; which one is in its own address.
  if (path.starts_with("/m/")) path = "/m/";
  for (const web::Asset& asset : web::assets()) {
    if (asset.path == path) return &asset;
  }
  return nullptr;
}

HttpResponse asset_response(const web::Asset& asset) {
  HttpResponse response;
  response.content_type = asset.content_type;
  response.body = asset.body;
  response.headers.emplace_back("Cache-Control", "no-cache");
  response.headers.emplace_back("ETag", asset.etag);
  return response;
}

}  // namespace

HttpResponse HttpRoot::ready() const {
  if (!parts_.database.healthy()) {
    return problem(503, "Service Unavailable", "unavailable", "PostgreSQL does not answer");
  }
  if (!parts_.journal.writable()) {
    return problem(503, "Service Unavailable", "unavailable", "the journal cannot be written");
  }
  return text(R"({"status":"ready"})", "application/json");
}

void HttpRoot::handle(HttpRequest request, HttpReply reply) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (request.path.starts_with("/api/")) {
    parts_.api.handle(std::move(request), std::move(reply));
    return;
  }
  if (!reads) {
    HttpResponse refused =
        problem(405, "Method Not Allowed", "invalid_argument", "only GET and HEAD are taken here");
    refused.headers.emplace_back("Allow", "GET, HEAD");
    reply(std::move(refused));
    return;
  }
  if (request.path == "/health") {
    reply(text(R"({"status":"ok"})", "application/json"));
    return;
  }
  const web::Asset* const asset = find_asset(request.path);
  if (asset != nullptr) {
    reply(asset_response(*asset));
    return;
  }
  const Status allowed = parts_.access.check(
      {.token = bearer(request.authorization), .peer_is_loopback = request.peer_is_loopback});
  if (!allowed) {
    HttpResponse refused = problem(401, "Unauthorized", "unauthenticated", allowed.error().message);
    refused.headers.emplace_back("WWW-Authenticate", "Bearer");
    reply(std::move(refused));
  } else if (request.path == "/ready") {
    reply(ready());
  } else if (request.path == "/metrics") {
    reply(text(parts_.counters.render(), "text/plain; version=0.0.4; charset=utf-8"));
  } else {
    reply(problem(404, "Not Found", "not_found", "no such route; docs/PROTOCOL.md lists them"));
  }
}

}  // namespace qylon::server
