#pragma once
/// The people who have an account.

#include <optional>
#include <string>
#include <string_view>

#include "api/identity/moment.hpp"
#include "core/result.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

/// What signing in needs to know of a user.
struct Account {
  std::string id;
  std::string email;
  std::string password_hash;  ///< Empty: there is none.
  bool confirmed = false;     ///< The address is known to be the user's.
  bool banned = false;
  bool has_second_factor = false;
};

/// `typed` as addresses are kept: without blanks around it, lower case. Errors: kInvalidArgument
/// unless it has one '@' with something on both sides, no blanks, and at most 320 bytes.
Result<std::string> parse_email(std::string_view typed);

std::optional<Account> find_by_email(storage::Sql& sql,
                                     const std::string& email,
                                     const Moment& now);
std::optional<Account> find_by_id(storage::Sql& sql, const std::string& id, const Moment& now);

struct NewUser {
  std::string email;
  std::string password_hash = {};    ///< Empty: none.
  std::string user_metadata = "{}";  ///< JSON objects.
  std::string app_metadata = "{}";   ///< Merged into {"provider":"email","providers":["email"]}.
  bool confirmed = false;
};
/// Output: the id. Somebody who has the address already is a unique violation (kConflict).
std::string insert_user(storage::Sql& sql, const NewUser& user, const Moment& now);

/// What of a user is to be changed; what is absent stays.
struct UserChange {
  std::optional<std::string> email = {};      ///< At once; see new_email.
  std::optional<std::string> new_email = {};  ///< Waits for its confirmation.
  std::optional<std::string> password_hash = {};
  std::optional<std::string> user_metadata = {};  ///< JSON objects, merged member by member.
  std::optional<std::string> app_metadata = {};
  std::optional<bool> confirmed = {};
  std::optional<std::string> banned_s = {};  ///< Seconds from now; "0" lifts the ban.
};
void change_user(storage::Sql& sql,
                 const std::string& id,
                 const UserChange& change,
                 const Moment& now);
/// GoTrue's user object; nothing when there is none.
std::optional<std::string> user_json(storage::Sql& sql, const std::string& id);

}  // namespace qylon::api
