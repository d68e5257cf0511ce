#include "api/http_answers.hpp"

#include <utility>

#include "core/problem_json.hpp"

namespace qylon::api {

HttpResponse json_answer(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

HttpResponse problem(const Error& error) {
  return problem_answer(problem_of(error));
}

}  // namespace qylon::api
