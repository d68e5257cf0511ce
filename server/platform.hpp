#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/core/idempotency.hpp"
#include "api/core/router.hpp"
#include "api/core/vault.hpp"
#include "api/files/files.hpp"
#include "api/meetings.hpp"
#include "api/shares.hpp"
#include "api/speakers.hpp"
#include "core/access.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/http.hpp"
#include "core/meeting_control.hpp"
#include "diarization/embedding_model.hpp"
#include "server/health_json.hpp"
#include "storage/database.hpp"
#include "storage/journal.hpp"

namespace qylon::server {

struct Settings;

/// Everything behind the edge that answers HTTP, put together: the domains' routes, and what every
/// request passes.
///
/// Threads: http() from any thread; it does not block. Destroyed before what its parts name, after
///          the last request.
class Platform {
 public:
  struct Options {
    std::string recordings_dir;  ///< As MeetingsApi has it.
    api::FilesApi::Options files;
    api::Router::Limits limits;
    std::vector<std::string> services{};  ///< Whose routes it answers; empty: all.
  };
  struct Parts {
    const Access& access;
    std::vector<api::Route> identity_routes;  ///< Of IdentityParts.
    const Clock& clock;
    const Log& log;
    Counters& counters;
    storage::Database& database;
    const storage::Journal& journal;
    MeetingControl& control;
    std::shared_ptr<const diarization::EmbeddingModel> voice_model;
    const api::Vault& vault;
  };
  Platform(const Options& options, const Parts& parts);

  HttpHandler& http() noexcept { return router_; }
  MeetingGate& gate() noexcept { return shares_; }
  const api::RouteTable& routes() const noexcept { return router_.table(); }

 private:
  void add_meetings(const Parts& parts);

  // Destroyed upwards: what answers holds routes of the router.
  api::Router router_;
  api::DatabaseJobs jobs_;  // Of the routes that have no object of their own, and of what is kept.
  api::MeetingsApi meetings_;
  api::SpeakersApi speakers_;
  api::Shares shares_;
  api::FilesApi files_;
  Health health_;
  api::Idempotency idempotency_;  // Its jobs call the handlers of those above.
};

Platform::Options platform_options(const Settings& settings, const std::string& link_secret);

}  // namespace qylon::server
