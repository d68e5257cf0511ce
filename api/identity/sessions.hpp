#pragma once
/// Logins: what they hand out, how they go on, how they end.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/identity/key_ring.hpp"
#include "api/identity/moment.hpp"
#include "api/identity/revocations.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

/// Who signs in, as the list of sessions shows it.
struct Peer {
  std::string user_agent;  ///< At most 200 bytes are kept.
  std::string address;
};

/// Access tokens live an hour; a refresh token is good once. Its child is derived from it, so that
/// a client that asks twice within the reuse window (two tabs, a lost answer) gets the same child;
/// later it was stolen, and the whole session ends. Source: RFC 9700 section 4.14.2.
///
/// Threads : const, from any thread, inside a transaction.
class Sessions {
 public:
  struct Options {
    std::int64_t token_s = 3600;
    std::int64_t reuse_s = 10;
    std::int64_t idle_s = 30LL * 86'400;  ///< A refresh token that nobody used so long is dead.
  };
  enum class Refusal : std::uint8_t { kUnknown, kEnded, kReused };
  struct Refreshed {
    std::string body;                ///< When there is no refusal.
    std::optional<Refusal> refusal;  ///< kReused has ended the session: commit.
  };
  enum class Scope : std::uint8_t { kThis, kOthers, kAll };

  Sessions(const Options& options,
           const KeyRing& keys,
           Revocations& revocations,
           std::string refresh_secret)
      : options_(options),
        keys_(keys),
        revocations_(revocations),
        refresh_secret_(std::move(refresh_secret)) {}

  /// Signs `user` in by `method` ("password", "otp"). Output: the JSON object that GoTrue answers:
  /// access_token, token_type, expires_in, expires_at, refresh_token, user.
  std::string open(storage::Sql& sql,
                   const std::string& user,
                   std::string_view method,
                   const Peer& peer,
                   const Moment& now) const;
  Refreshed refresh(storage::Sql& sql, std::string_view refresh_token, const Moment& now) const;
  /// A second factor was shown: the session goes on with aal2. Output: as open().
  std::string raise(storage::Sql& sql,
                    const std::string& session,
                    std::string_view method,
                    const Moment& now) const;
  /// Ends sessions of `user`; `session` is the one that asks, empty for none. Output: how many.
  std::size_t end(storage::Sql& sql,
                  const std::string& user,
                  const std::string& session,
                  Scope scope,
                  const Moment& now) const;
  /// What the database says of sign-outs whose tokens may still live, for Revocations::replace.
  /// Deletes the sessions that are over.
  std::vector<std::string> sweep(storage::Sql& sql, const Moment& now) const;

 private:
  std::string hand_out(storage::Sql& sql,
                       const std::string& session,
                       const std::string& refresh_token,
                       const Moment& now) const;
  std::string child_of(std::string_view refresh_token) const;

  const Options options_;  // Constant after construction, like all of it.
  const KeyRing& keys_;
  Revocations& revocations_;
  const std::string refresh_secret_;
};

}  // namespace qylon::api
