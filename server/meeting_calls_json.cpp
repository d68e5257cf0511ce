#include "server/meeting_calls_json.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "server/http_client.hpp"

namespace qylon::server {
namespace {

using nlohmann::json;

ErrorCode error_of(int status) {
  switch (status) {
    case 401:
      return ErrorCode::kUnauthenticated;
    case 403:
      return ErrorCode::kForbidden;
    case 404:
      return ErrorCode::kNotFound;
    case 409:
      return ErrorCode::kConflict;
    default:
      return status >= 500 ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument;
  }
}

/// The detail of a problem document (RFC 9457), or the status alone when it is none.
Error refusal(const HttpAnswer& answer) {
  const json problem = json::parse(answer.body, nullptr, false);
  std::string message = "the server answers with HTTP status " + std::to_string(answer.status);
  if (problem.is_object() && problem.contains("detail") && problem["detail"].is_string()) {
    message = problem["detail"].get<std::string>();
  }
  return {error_of(answer.status), message};
}

Result<std::string> call(const ServerLogin& server, HttpCall request) {
  request.token = server.token;
  auto answer = http_request(server.url, request);
  if (!answer) return answer.error();
  if (answer->status < 200 || answer->status > 299) return refusal(*answer);
  return std::move(answer->body);
}

}  // namespace

Result<MeetingId> create_meeting(const ServerLogin& server, const std::string& title) {
  const std::string body =
      json({{"title", title}}).dump(-1, ' ', false, json::error_handler_t::replace);
  const auto created =
      call(server, {.method = "POST", .path = "/api/meetings", .token = {}, .body = body});
  if (!created) return created.error();
  const json meeting = json::parse(*created, nullptr, false);
  if (meeting.is_object() && meeting.contains("id") && meeting["id"].is_string()) {
    const auto id = MeetingId::parse(meeting["id"].get<std::string>());
    if (id) return *id;
  }
  return Error{ErrorCode::kInternal, "the server's answer holds no meeting id"};
}

Result<std::string> sign_in_fragment(const ServerLogin& server) {
  const auto made = call(
      server, {.method = "POST", .path = "/auth/v1/admin/sign_in_link", .token = {}, .body = "{}"});
  if (!made) return made.error();
  const json link = json::parse(*made, nullptr, false);
  if (link.is_object() && link.contains("fragment") && link["fragment"].is_string())
    return link["fragment"].get<std::string>();
  return Error{ErrorCode::kInternal, "the server's answer holds no link"};
}

Result<std::string> fetch(const ServerLogin& server, const std::string& path) {
  return call(server, {.method = "GET", .path = path, .token = {}, .body = {}});
}

}  // namespace qylon::server
