#pragma once
/// Result<T>: a value or an Error, for failures a correct program must expect (bad input, a lost
/// peer, a full queue). Programmer errors use QYLON_CHECK. Nothing throws across a module wall.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/check.hpp"

namespace qylon {

/// What the caller can do about it; each maps to one HTTP status and one WebSocket close code.
enum class ErrorCode : std::uint8_t {
  kInvalidArgument,  ///< The request is malformed; do not retry unchanged.   400 / 4503
  kUnauthenticated,  ///< Who are you.                                        401 / 4500
  kForbidden,        ///< Known, but not allowed.                             403 / 4502
  kNotFound,         ///< No such thing, or not visible to the caller.        404 / 4507
  kConflict,         ///< State moved on; re-read and retry.                  409 / 4501
  kOverloaded,       ///< A bounded queue is full; retry later.               503 / 4006
  kUnavailable,      ///< A dependency is down; retry with back-off.          503 / 4007
  kInternal,         ///< Our fault; logged with an id.                       500 / 1011
};

/// Stable lower-case name used on the wire and in logs, e.g. "invalid_argument".
std::string_view error_name(ErrorCode code) noexcept;
int http_status(ErrorCode code) noexcept;
int close_code(ErrorCode code) noexcept;

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  ///< Says what was wrong and what would be right. No secrets.
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  explicit operator bool() const noexcept { return state_.index() == 0; }

  /// REQUIRES: *this holds a value.
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }
  const T& value() const& {
    QYLON_CHECK(state_.index() == 0);
    return *std::get_if<0>(&state_);
  }
  T& value() & {
    QYLON_CHECK(state_.index() == 0);
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    QYLON_CHECK(state_.index() == 0);
    return std::move(*std::get_if<0>(&state_));
  }

  /// REQUIRES: *this holds an error.
  const Error& error() const& {
    QYLON_CHECK(state_.index() == 1);
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

/// For functions that only succeed or fail.
struct Unit {};
using Status = Result<Unit>;
inline Status ok() {
  return Unit{};
}

}  // namespace qylon
