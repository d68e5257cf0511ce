#include "core/problem_json.hpp"

#include <array>
#include <utility>

#include <nlohmann/json.hpp>

namespace qylon {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<int, std::string_view>, 29> kPhrases{{
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
}};

// What a client that shows `error` to people shows when a role is too low.
constexpr std::string_view kForbiddenText = "Insufficient permissions";

Json nullable(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

std::string print(const Problem& problem) {
  Json json{
      {"type", "about:blank"},
      {"title", reason_phrase(problem.status)},
      {"status", problem.status},
      {"detail", problem.detail},
      {"code", problem.code},
      {"error", problem.code == error_name(ErrorCode::kForbidden) ? kForbiddenText : problem.code},
      {"message", problem.detail},
      {"details", nullptr},
      {"hint", nullable(problem.hint)}};
  for (const FieldProblem& field : problem.errors)
    json["errors"].push_back({{"pointer", field.pointer}, {"detail", field.detail}});
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string_view reason_phrase(int status) noexcept {
  for (const auto& [code, phrase] : kPhrases) {
    if (code == status) return phrase;
  }
  return "Error";
}

Problem problem_of(const Error& error) {
  return {.status = http_status(error.code),
          .code = std::string(error_name(error.code)),
          .detail = error.message};
}

HttpResponse problem_answer(const Problem& problem) {
  HttpResponse response;
  response.status = problem.status;
  response.content_type = "application/problem+json";
  response.body = print(problem);
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Sb-Error-Code", problem.code);
  if (problem.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (problem.status == 503) {
    const bool is_brief = problem.code == error_name(ErrorCode::kOverloaded);
    response.headers.emplace_back("Retry-After", is_brief ? "1" : "2");
  }
  return response;
}

}  // namespace qylon
