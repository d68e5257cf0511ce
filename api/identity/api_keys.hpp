#pragma once
/// Keys for programs: what a user may do in one organisation, narrowed to scopes.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/identity/moment.hpp"
#include "core/principal.hpp"
#include "core/sync.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

inline constexpr std::string_view kApiKeyPrefix = "qyk_";
inline constexpr std::size_t kApiKeysMax = 100'000;

/// All keys that hold, in memory, because a request must not wait to learn who sends it. Another
/// server's changes are seen at its next load().
///
/// Threads : every method from any thread; those with Sql inside a transaction.
class ApiKeys {
 public:
  struct Wanted {
    std::string user;
    std::string org;  ///< Empty: the user's own.
    std::string name;
    std::vector<std::string> scopes;           ///< "read", "write", "manage", ...
    std::optional<std::int64_t> expires_in_s;  ///< Absent: until it is revoked.
  };
  struct Made {
    std::string key;   ///< "qyk_" and 43 characters; shown once, kept as digest.
    std::string json;  ///< The row without it.
  };

  static Made make(storage::Sql& sql, const Wanted& wanted, const Moment& now);
  /// A JSON array of `user`'s keys, newest first; never the keys themselves.
  static std::string list(storage::Sql& sql, const std::string& user);
  /// False when the user has no such key that holds.
  static bool revoke(storage::Sql& sql,
                     const std::string& user,
                     const std::string& id,
                     const Moment& now);

  /// Takes what the database holds.
  void load(storage::Sql& sql, const Moment& now) QYLON_EXCLUDES(mutex_);
  std::optional<Principal> find(std::string_view key, const Moment& now) const
      QYLON_EXCLUDES(mutex_);

 private:
  struct Entry {
    Principal principal;
    std::int64_t expires_s;
  };
  using Table = std::unordered_map<std::string, Entry>;  // By the digest, in hexadecimal.

  mutable Mutex mutex_;
  std::shared_ptr<const Table> table_ QYLON_GUARDED_BY(mutex_) = std::make_shared<Table>();
};

}  // namespace qylon::api
