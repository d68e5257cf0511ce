#pragma once
/// The one error body of HTTP: RFC 9457, and readable for Supabase's clients.

#include <string>
#include <string_view>
#include <vector>

#include "core/http.hpp"
#include "core/result.hpp"

namespace qylon {

/// What is wrong with one member of a request's body.
struct FieldProblem {
  std::string pointer;  ///< JSON pointer (RFC 6901), e.g. "/tracks/0/codec".
  std::string detail;
};

struct Problem {
  int status = 500;
  std::string code;    ///< Stable, e.g. "not_found", "over_request_rate_limit".
  std::string detail;  ///< What was wrong and what would be right. Any bytes; no secrets.
  std::string hint = {};
  std::vector<FieldProblem> errors = {};
};

/// `error` with its own status and name.
Problem problem_of(const Error& error);

/// application/problem+json: type, title, status, detail and errors as RFC 9457 has them; error,
/// code, message, details and hint as auth-js, postgrest-js, storage-js and functions-js read them,
/// with the code in X-Sb-Error-Code too. 401 says how to authenticate, 503 when to come back.
HttpResponse problem_answer(const Problem& problem);

/// Reason phrase of RFC 9110 section 15 for the codes this server sends, else "Error".
std::string_view reason_phrase(int status) noexcept;

}  // namespace qylon
