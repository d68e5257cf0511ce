#pragma once

#include <optional>
#include <string>

#include "api/identity/moment.hpp"
#include "api/identity/one_time.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

/// The address that the first user has until the first user changes it.
inline constexpr const char* kOwnerEmail = "owner@qylon.invalid";

/// While nobody has ever signed in: the first user, owner of the default organisation, made when
/// missing. Output: the token of the invitation, good for a day; nothing when somebody has.
std::optional<std::string> invite_owner(storage::Sql& sql,
                                        const OneTimeTokens& tokens,
                                        const Moment& now);

}  // namespace qylon::api
