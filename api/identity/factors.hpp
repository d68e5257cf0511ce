#pragma once
/// The second factors of a user: authenticator apps, and recovery codes for who has lost them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/identity/moment.hpp"
#include "core/seal.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

inline constexpr std::int64_t kChallengeS = 300;
inline constexpr int kFactorsMax = 10;

/// Secrets of apps are sealed by the identity key; recovery codes are kept under a secret of the
/// server.
///
/// Threads : const, inside a transaction.
class Factors {
 public:
  Factors(const SealKey& master, std::string recovery_secret)
      : master_(master), recovery_secret_(std::move(recovery_secret)) {}

  struct Enrolled {
    std::string id;
    std::string secret;  ///< 20 bytes; shown once.
  };
  /// A new app, unverified until a code of it was shown. Nothing when the user has ten factors. A
  /// name that the user has already is a unique violation (kConflict).
  std::optional<Enrolled> enrol(storage::Sql& sql,
                                const std::string& user,
                                const std::string& name) const;
  /// Output: the challenge's id; nothing when the user has no such app.
  std::optional<std::string> challenge(storage::Sql& sql,
                                       const std::string& user,
                                       const std::string& factor,
                                       const Moment& now) const;
  enum class Outcome : std::uint8_t { kRight, kWrong, kUnknown, kExpired };
  /// Uses the challenge up when the code is right, and makes the factor verified.
  Outcome verify(storage::Sql& sql,
                 const std::string& user,
                 const std::string& factor,
                 const std::string& challenge,
                 std::string_view code,
                 const Moment& now) const;
  /// False when the user has no such factor, or it is the recovery codes.
  bool remove(storage::Sql& sql, const std::string& user, const std::string& factor) const;

  struct RecoveryState {
    std::string id;
    int total = 0;
    int remaining = 0;
  };
  std::optional<RecoveryState> recovery_state(storage::Sql& sql, const std::string& user) const;
  /// Ten new codes instead of those there were. Output: the factor's id.
  std::string replace_recovery_codes(storage::Sql& sql,
                                     const std::string& user,
                                     const std::string& name,
                                     const std::vector<std::string>& codes) const;
  /// Uses the code up.
  bool use_recovery_code(storage::Sql& sql,
                         const std::string& user,
                         std::string_view code,
                         const Moment& now) const;
  bool remove_recovery_codes(storage::Sql& sql, const std::string& user) const;

 private:
  std::string recovery_digest(std::string_view code) const;

  const SealKey master_;  // Constant after construction, like the next one.
  const std::string recovery_secret_;
};

}  // namespace qylon::api
