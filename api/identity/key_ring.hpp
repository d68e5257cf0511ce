#pragma once
/// The keys that sign our access tokens, and those of everybody whose tokens we take.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "api/identity/jwt.hpp"
#include "api/identity/moment.hpp"
#include "core/seal.hpp"
#include "core/sync.hpp"
#include "storage/database.hpp"

namespace qylon::api {

/// Signing keys are rows, sealed by the identity key. One signs; a retired one is published and
/// taken until every token that it signed has expired.
///
/// Threads : refresh() by one thread at a time; everything else from any thread.
class KeyRing {
 public:
  struct Options {
    std::string issuer;                           ///< The claim `iss` of our tokens.
    std::int64_t rotate_after_s = 90LL * 86'400;  ///< A key signs so long.
    std::int64_t publish_retired_s = 7'200;       ///< Longer than a token lives.
    JwtIssuers foreign;                           ///< By configuration.
  };

  KeyRing(Options options, const SealKey& master)
      : options_(std::move(options)), master_(master), foreign_(options_.foreign) {}

  /// Reads the keys again, makes the first one, replaces one that is old, drops what is over. To be
  /// called once before anything else. Errors: kInvalidArgument when the rows were sealed with
  /// another identity key; those of Session::transact.
  Status refresh(storage::Session& session, const Moment& now) QYLON_EXCLUDES(mutex_);
  /// Takes tokens of a foreign issuer that these keys signed, besides those by configuration, and
  /// no more those of the keys that were given before. REQUIRES: refresh() was called.
  void trust(const std::string& issuer, const std::map<std::string, JwtKey, std::less<>>& keys)
      QYLON_EXCLUDES(mutex_);
  /// The signing key is replaced at the next refresh(), e.g. because it may be known to others.
  void retire() QYLON_EXCLUDES(mutex_);

  const std::string& issuer() const noexcept { return options_.issuer; }
  std::string sign(std::string_view claims) const QYLON_EXCLUDES(mutex_);
  /// A JWK set. Source: RFC 7517.
  std::string jwks() const QYLON_EXCLUDES(mutex_);
  std::shared_ptr<const JwtIssuers> issuers() const QYLON_EXCLUDES(mutex_);
  /// Rises when the keys changed: what was verified before may hold no longer.
  std::uint64_t version() const QYLON_EXCLUDES(mutex_);

 private:
  struct Keys;
  Result<std::shared_ptr<Keys>> load(storage::Session& session, const Moment& now);
  std::shared_ptr<const Keys> keys() const QYLON_EXCLUDES(mutex_);

  const Options options_;  // Constant after construction, like the next one.
  const SealKey master_;
  mutable Mutex mutex_;
  JwtIssuers foreign_ QYLON_GUARDED_BY(mutex_);
  std::shared_ptr<const Keys> keys_ QYLON_GUARDED_BY(mutex_);
  std::uint64_t version_ QYLON_GUARDED_BY(mutex_) = 0;
  bool retire_ QYLON_GUARDED_BY(mutex_) = false;
};

}  // namespace qylon::api
