#pragma once
/// What every REST handler answers with.

#include <string>

#include "core/http.hpp"
#include "core/result.hpp"

namespace qylon::api {

HttpResponse json_answer(int status, std::string body);
/// `error` with its HTTP status as the problem of core/problem_json.hpp.
HttpResponse problem(const Error& error);

}  // namespace qylon::api
