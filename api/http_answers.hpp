#pragma once
/// What every REST handler answers with, and the question it asks first.

#include <string>

#include "core/access.hpp"
#include "core/http.hpp"
#include "core/result.hpp"

namespace qylon::api {

HttpResponse json_answer(int status, std::string body);

/// `error` as application/problem+json (RFC 9457) with its HTTP status; 503 says when to come back
/// and 401 how to authenticate.
HttpResponse problem(const Error& error);

/// 405 with the methods that the path takes, e.g. "GET, HEAD".
HttpResponse method_not_allowed(const std::string& allowed);

/// Who sent the request: asks `access` about its `Authorization: Bearer` token (RFC 6750 section
/// 2.1) and its API key.
Result<Principal> identify(const Access& access, const HttpRequest& request);

}  // namespace qylon::api
