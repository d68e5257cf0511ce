#include "core/result.hpp"

#include <array>
#include <cstddef>

namespace qylon {
namespace {

struct Meaning {
  std::string_view name;
  int http;
  int close;
};
// In the order of ErrorCode. Close codes 4000-4499 ask the client to reconnect, 4500-4999 do not.
constexpr std::array<Meaning, 8> kMeanings{{{"invalid_argument", 400, 4503},
                                            {"unauthenticated", 401, 4500},
                                            {"forbidden", 403, 4502},
                                            {"not_found", 404, 4507},
                                            {"conflict", 409, 4501},
                                            {"overloaded", 503, 4006},
                                            {"unavailable", 503, 4007},
                                            {"internal", 500, 1011}}};

const Meaning& meaning(ErrorCode code) noexcept {
  return kMeanings[static_cast<std::size_t>(code)];
}

}  // namespace

std::string_view error_name(ErrorCode code) noexcept {
  return meaning(code).name;
}
int http_status(ErrorCode code) noexcept {
  return meaning(code).http;
}
int close_code(ErrorCode code) noexcept {
  return meaning(code).close;
}

}  // namespace qylon
