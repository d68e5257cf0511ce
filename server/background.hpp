#pragma once
/// What the server does without being asked: jobs, sagas, and what follows the events.

#include <memory>
#include <string>

#include "api/core/audit.hpp"
#include "api/core/event_subscriptions.hpp"
#include "api/core/job_runner.hpp"
#include "api/core/saga.hpp"
#include "api/core/vault.hpp"
#include "api/domains/model_insights.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "core/result.hpp"
#include "storage/database.hpp"

namespace qylon::server {

struct Settings;

/// Threads: two of its own (jobs, events). Destroyed before what its parts name; what runs then has
///          ten seconds, the rest is given back to the queue.
class Background {
 public:
  struct Parts {
    storage::Database& database;
    const Clock& clock;
    const Log& log;
    Counters& counters;
  };
  /// Opens the master keys of the data directory, and begins.
  /// Errors: kInvalidArgument for a key file that is wrong or that lacks a key which rows need, or
  ///         for a language model that cannot be asked; kUnavailable for a directory that cannot be
  ///         written.
  static Result<std::unique_ptr<Background>> start(const Settings& settings, const Parts& parts);

  /// What the links to files are signed with.
  const std::string& link_secret() const noexcept { return link_secret_; }
  const api::Vault& vault() const noexcept { return vault_; }

 private:
  Background(api::AuditTrail audit, api::Vault vault, std::string link_secret, const Parts& parts);
  Status add_schedules();
  Status add_domains(const Settings& settings, const Parts& parts);

  const api::AuditTrail audit_;
  const api::Vault vault_;
  const std::string link_secret_;
  std::unique_ptr<api::ModelInsights> model_insights_;  // Null without a model.
  api::Sagas sagas_;
  api::JobRunner jobs_;
  api::EventSubscriptions events_;
};

}  // namespace qylon::server
