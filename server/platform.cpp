#include "server/platform.hpp"

#include "api/core/crud.hpp"
#include "api/core/openapi.hpp"
#include "api/domains/domains.hpp"
#include "server/system_routes.hpp"

namespace qylon::server {

Platform::Platform(const Options& options, const Parts& parts)
    : meetings_({.recordings_dir = options.recordings_dir,
                 .takes_new = [&journal = parts.journal]() -> Status {
                   if (journal.takes_new_streams()) return ok();
                   return Error{ErrorCode::kUnavailable, "the disk takes no new streams"};
                 }},
                {.database = parts.database, .control = parts.control, .clock = parts.clock}),
      speakers_({.database = parts.database, .control = parts.control}),
      router_({.access = parts.access}) {
  router_.add(system_routes(
      {.counters = parts.counters, .database = parts.database, .journal = parts.journal}));
  router_.add(meetings_.routes());
  router_.add(speakers_.routes());
  const std::vector<api::Domain> domains = api::all_domains();
  router_.add(api::domain_routes(domains, parts.database));
  router_.add(api::openapi_routes(domains, router_.table()));
}

}  // namespace qylon::server
