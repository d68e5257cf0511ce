#include "server/platform.hpp"

#include <algorithm>

#include "api/compat/auth_reference.hpp"
#include "api/core/crud.hpp"
#include "api/core/openapi.hpp"
#include "api/credentials.hpp"
#include "api/domains/domains.hpp"
#include "api/voices.hpp"
#include "server/settings.hpp"
#include "server/system_routes.hpp"
#include "server/voice_clip.hpp"

namespace qylon::server {

Platform::Options platform_options(const Settings& settings, const std::string& link_secret) {
  return {.recordings_dir = settings.data_dir + "/recordings",
          .files = {.dir = settings.data_dir + "/files", .link_secret = link_secret},
          .limits = {.per_address = static_cast<double>(settings.requests_per_address),
                     .per_user = static_cast<double>(settings.requests_per_user),
                     .per_org = static_cast<double>(settings.requests_per_org)},
          .services = parse_services(settings.services).value()};
}

namespace {

/// The service that a domain is part of.
std::string_view service_of(const api::Domain& domain) {
  const bool is_about_meetings = domain.name == "meeting_insights" || domain.name == "voices";
  return is_about_meetings ? "meetings" : std::string_view(domain.name);
}

}  // namespace

Platform::Platform(const Options& options, const Parts& parts)
    : router_(options.limits,
              {.access = parts.access,
               .clock = parts.clock,
               .log = parts.log,
               .counters = parts.counters,
               .idempotency = &idempotency_}),
      jobs_(parts.database),
      meetings_({.recordings_dir = options.recordings_dir,
                 .takes_new = [&journal = parts.journal]() -> Status {
                   if (journal.takes_new_streams()) return ok();
                   return Error{ErrorCode::kUnavailable, "the disk takes no new streams"};
                 }},
                {.database = parts.database, .control = parts.control, .clock = parts.clock}),
      speakers_({.database = parts.database, .control = parts.control}),
      shares_(parts.database, parts.clock),
      files_(options.files,
             {.database = parts.database, .clock = parts.clock, .counters = parts.counters}),
      health_({.clock = parts.clock, .database = parts.database, .journal = parts.journal}),
      idempotency_(parts.database, jobs_) {
  const auto serves = [&services = options.services](std::string_view name) {
    return services.empty() || std::find(services.begin(), services.end(), name) != services.end();
  };
  if (serves("users")) router_.add(parts.identity_routes);
  router_.add(system_routes({.health = health_,
                             .counters = parts.counters,
                             .database = parts.database,
                             .journal = parts.journal}));
  if (serves("meetings")) add_meetings(parts);
  if (serves("files")) router_.add(files_.routes());
  if (serves("orgs")) router_.add(api::credential_routes(jobs_, parts.vault));
  std::vector<api::Domain> domains = api::all_domains();
  std::erase_if(domains, [&](const api::Domain& domain) { return !serves(service_of(domain)); });
  router_.add(api::domain_routes(domains, jobs_));
  if (serves("users")) domains.push_back(api::identity_reference());
  router_.add(api::openapi_routes(domains, router_.table()));
}

void Platform::add_meetings(const Parts& parts) {
  router_.add(meetings_.routes());
  router_.add(speakers_.routes());
  router_.add(shares_.routes());
  router_.add(api::voice_routes({.jobs = jobs_,
                                 .model = std::string(parts.voice_model->name()),
                                 .hear = [model = parts.voice_model](std::string_view wav) {
                                   return hear_clip(model, wav);
                                 }}));
}

}  // namespace qylon::server
