#pragma once
/// A password on its way from a body to its hash.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/compat/auth_context.hpp"

namespace qylon::api {

/// weak_password (422) with its reasons; nothing when the password is taken.
std::optional<HttpResponse> weak_password(std::string_view password, std::string_view email);

/// Hashes on the pool, then goes on; 503 when the pool is full.
void hash_then(AuthContext& context,
               std::string password,
               HttpReply reply,
               std::function<void(std::string phc, HttpReply)> then);

}  // namespace qylon::api
