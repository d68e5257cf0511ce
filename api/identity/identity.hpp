#pragma once
/// Everything that knows who somebody is, put together.

#include <memory>
#include <string>
#include <thread>

#include "api/identity/api_keys.hpp"
#include "api/identity/factors.hpp"
#include "api/identity/key_ring.hpp"
#include "api/identity/one_time.hpp"
#include "api/identity/password_pool.hpp"
#include "api/identity/revocations.hpp"
#include "api/identity/sessions.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "core/seal.hpp"
#include "core/sync.hpp"
#include "storage/database.hpp"

namespace qylon::api {

/// What browsers show as `apikey` to the server with this identity key: it says which server is
/// meant and proves nothing.
std::string publishable_key(const SealKey& master);

/// Owns the parts and keeps them fresh: a thread looks every ten seconds after keys, sign-outs and
/// what has expired.
///
/// Threads : the parts say so themselves.
class Identity {
 public:
  struct Options {
    KeyRing::Options keys;
    Sessions::Options sessions;
    PasswordPool::Options passwords;
  };
  /// All must outlive the identity.
  struct Deps {
    storage::Database& database;
    const Log& log;
    const Clock& clock;
  };

  /// Reads the keys; blocks for the database. Errors: KeyRing::refresh(); kUnavailable.
  static Result<std::unique_ptr<Identity>> create(const Options& options,
                                                  const SealKey& master,
                                                  const Deps& deps);
  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;
  Identity(Identity&&) = delete;
  Identity& operator=(Identity&&) = delete;

  KeyRing& keys() noexcept { return keys_; }
  const Revocations& revocations() const noexcept { return revocations_; }
  const Sessions& sessions() const noexcept { return sessions_; }
  const OneTimeTokens& one_time() const noexcept { return one_time_; }
  const Factors& factors() const noexcept { return factors_; }
  ApiKeys& api_keys() noexcept { return api_keys_; }
  PasswordPool& passwords() noexcept { return passwords_; }
  const std::string& publishable_key() const noexcept { return publishable_key_; }

  /// What the thread does each time. Runs on a database thread.
  Status refresh(storage::Session& session);

 private:
  Identity(const Options& options, const SealKey& master, const Deps& deps);
  Status refresh_now();
  void keep_fresh();

  const Deps deps_;
  KeyRing keys_;
  Revocations revocations_;
  const Sessions sessions_;
  const OneTimeTokens one_time_;
  const Factors factors_;
  ApiKeys api_keys_;
  PasswordPool passwords_;
  const std::string publishable_key_;
  Mutex mutex_;
  Condition wake_;
  bool stopping_ QYLON_GUARDED_BY(mutex_) = false;
  std::thread keeper_;
};

}  // namespace qylon::api
