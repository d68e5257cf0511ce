#pragma once
/// The one question that every route and every WebSocket verb asks before it does anything.

#include <string_view>

#include "core/principal.hpp"
#include "core/result.hpp"

namespace qylon {

/// What the peer shows for itself.
struct Credentials {
  std::string_view token;         ///< Without "Bearer "; empty when none was given.
  std::string_view api_key = {};  ///< The header `apikey` of Supabase clients; empty without one.
};

/// Threads: every method is safe from any thread and does not block.
class Access {
 public:
  Access() = default;
  virtual ~Access() = default;
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;
  Access(Access&&) = delete;
  Access& operator=(Access&&) = delete;

  /// Who `credentials` stand for; somebody without any may be "anon", where that is allowed.
  /// Errors: kUnauthenticated with a sentence that says how to get a token.
  virtual Result<Principal> identify(const Credentials& credentials) const = 0;
};

}  // namespace qylon
