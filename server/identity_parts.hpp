#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/compat/auth_context.hpp"
#include "api/core/route_table.hpp"
#include "api/identity/identity.hpp"
#include "api/identity/identity_access.hpp"
#include "api/identity/mailer.hpp"
#include "api/token_access.hpp"
#include "core/access.hpp"
#include "server/settings.hpp"

namespace qylon::server {

/// Who may come in, put together from the settings.
///
/// Threads: access() from any thread. Destroyed after the last request.
class IdentityParts {
 public:
  /// All must outlive the parts.
  struct Deps {
    storage::Database& database;
    const Log& log;
    Counters& counters;
    const Clock& clock;
  };

  /// Reads the secrets of the data directory, makes those that are missing, and the first user when
  /// there is none. Blocks for the database. Errors: kInvalidArgument names the setting or file.
  static Result<std::unique_ptr<IdentityParts>> create(const Settings& settings, const Deps& deps);

  const Access& access() const noexcept { return *access_; }
  std::vector<api::Route> routes();
  /// Nobody has ever signed in.
  bool is_new() const noexcept { return is_new_; }

 private:
  IdentityParts() = default;

  std::unique_ptr<api::TokenAccess> token_;
  std::unique_ptr<api::Identity> identity_;
  std::unique_ptr<api::ForeignKeys> foreign_keys_;
  std::unique_ptr<api::IdentityAccess> access_;
  std::unique_ptr<api::Mailer> mailer_;
  std::unique_ptr<api::AuthContext> auth_;
  bool is_new_ = false;
};

}  // namespace qylon::server
