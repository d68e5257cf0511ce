#pragma once
/// How often a secret may be guessed. The counts are rows, so that neither a restart nor a second
/// server gives new guesses.

#include <cstdint>
#include <string_view>

#include "api/identity/moment.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

struct AttemptRule {
  std::string_view what;  ///< Separates the rules' counts.
  std::int64_t limit;     ///< So many in a window.
  std::int64_t window_s;  ///< It begins with the first attempt.
};

/// Against online guessing of passwords; NIST SP 800-63B section 5.2.2 allows up to 100.
inline constexpr AttemptRule kPasswordAttempts{"password", 10, 900};
/// Three of 10^6 codes are right at a time: 20 an hour find one in 1,900 years on average.
inline constexpr AttemptRule kSecondFactorAttempts{"second factor", 5, 900};
/// A code by mail is one of 10^6 and lives an hour.
inline constexpr AttemptRule kMailCodeAttempts{"mail code", 10, 3600};
/// Nobody's mailbox is filled by strangers.
inline constexpr AttemptRule kMails{"mail", 1, 60};

/// Counts an attempt on `whom` (an address, a user's id). Output: 0 when it may be made, else the
/// seconds until the next window.
std::int64_t count_attempt(storage::Sql& sql,
                           const AttemptRule& rule,
                           std::string_view whom,
                           const Moment& now);
/// After the right secret.
void forget_attempts(storage::Sql& sql, const AttemptRule& rule, std::string_view whom);
/// Deletes the counts of windows that are over.
void sweep_attempts(storage::Sql& sql, const Moment& now);

}  // namespace qylon::api
