#pragma once

#include <optional>
#include <string>

#include "api/identity/moment.hpp"
#include "api/identity/one_time.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

/// The address that the first user has until the first user changes it.
inline constexpr const char* kOwnerEmail = "owner@qylon.invalid";

/// While there is no user: makes the first one, owner of the default organisation.
/// Output: nobody has ever signed in.
bool make_first_user(storage::Sql& sql, const Moment& now);

/// A token, good once and for an hour, with which the first of the default organisation's owners
/// signs in ("magiclink"). Nothing when all of them are blocked.
std::optional<std::string> invite_owner(storage::Sql& sql,
                                        const OneTimeTokens& tokens,
                                        const Moment& now);

}  // namespace qylon::api
