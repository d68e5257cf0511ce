#include "api/http_answers.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "api/meeting_json.hpp"

namespace qylon::api {
namespace {

HttpResponse problem_with_status(int status, const Error& error) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = problem_to_json(status, error);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

/// The token of a Bearer header; of another header all of it, which no access check will take.
std::string_view bearer_token(std::string_view header) {
  constexpr std::string_view kScheme = "bearer ";
  const bool is_bearer =
      header.size() >= kScheme.size() &&
      std::equal(kScheme.begin(), kScheme.end(), header.begin(), [](char expected, char c) {
        return expected == std::tolower(static_cast<unsigned char>(c));
      });
  return is_bearer ? header.substr(kScheme.size()) : header;
}

}  // namespace

HttpResponse json_answer(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

HttpResponse problem(const Error& error) {
  HttpResponse response = problem_with_status(http_status(error.code), error);
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.code == ErrorCode::kOverloaded) response.headers.emplace_back("Retry-After", "1");
  if (error.code == ErrorCode::kUnavailable) response.headers.emplace_back("Retry-After", "2");
  return response;
}

HttpResponse method_not_allowed(const std::string& allowed) {
  HttpResponse response = problem_with_status(
      405,
      {ErrorCode::kInvalidArgument, "this path does not take the method; it takes " + allowed});
  response.headers.emplace_back("Allow", allowed);
  return response;
}

Result<Principal> identify(const Access& access, const HttpRequest& request) {
  return access.identify({.token = bearer_token(request.authorization),
                          .api_key = request.header("apikey"),
                          .peer_is_loopback = request.peer_is_loopback});
}

}  // namespace qylon::api
