#pragma once
/// An HTTP exchange as the edge (realtime/) hands it to the handlers (api/), which never meet.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qylon {

/// The request headers that handlers may look at, beside type and authorization. Every
/// other one is dropped at the edge.
inline constexpr std::array<std::string_view, 19> kPassedHeaders{
    "accept",          "accept-profile", "apikey",
    "content-profile", "cookie",         "host",
    "idempotency-key", "if-match",       "if-none-match",
    "origin",          "prefer",         "range",
    "traceparent",     "user-agent",     "x-client-info",
    "x-org-id",        "x-request-id",   "x-supabase-api-version",
    "x-upsert",
};

struct HttpRequest {
  std::string method;  ///< "GET", "POST", ... upper case.
  std::string path;    ///< Percent-decoded once, begins with '/', no query, no "..".
  std::vector<std::pair<std::string, std::string>> query;  ///< Decoded, in order.
  std::string content_type;                                ///< As sent, or empty.
  std::string authorization;                               ///< As sent, or empty. Never logged.
  std::vector<std::pair<std::string_view, std::string>> headers;  ///< Of kPassedHeaders.
  std::string body;          ///< At most the configured size; de-chunked.
  std::string peer_address;  ///< "127.0.0.1", "::1".
  bool peer_is_loopback = false;

  /// Value of the header `name`, which stands in kPassedHeaders in lower case; or empty.
  std::string_view header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }

  /// First value of `name` in the query, or empty.
  std::string_view query_value(std::string_view name) const noexcept {
    for (const auto& [key, value] : query) {
      if (key == name) return value;
    }
    return {};
  }
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string file_path;  ///< Not empty: the body is this file, streamed, `body` is ignored.
  std::vector<std::pair<std::string, std::string>> headers;  ///< Beyond type, length, security.
};

/// Answers one request. Call it exactly once, from any thread, at any later time; when the peer
/// has gone the answer is dropped.
using HttpReply = std::function<void(HttpResponse)>;

/// Threads: handle() is called on net threads and must not block; it may reply later.
class HttpHandler {
 public:
  HttpHandler() = default;
  virtual ~HttpHandler() = default;
  HttpHandler(const HttpHandler&) = delete;
  HttpHandler& operator=(const HttpHandler&) = delete;
  HttpHandler(HttpHandler&&) = delete;
  HttpHandler& operator=(HttpHandler&&) = delete;

  virtual void handle(HttpRequest request, HttpReply reply) = 0;
};

}  // namespace qylon
