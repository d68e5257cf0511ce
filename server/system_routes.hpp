#pragma once

#include <vector>

#include "api/core/route_table.hpp"
#include "core/counters.hpp"
#include "server/health_json.hpp"
#include "storage/database.hpp"
#include "storage/journal.hpp"

namespace qylon::server {

/// Health, readiness, metrics and the pages. /health and the pages hold nothing of anybody and are
/// open; the others are for who holds the server's token.
struct SystemParts {
  const Health& health;
  const Counters& counters;
  const storage::Database& database;
  const storage::Journal& journal;
};
/// `parts` must outlive the calls.
std::vector<api::Route> system_routes(const SystemParts& parts);

}  // namespace qylon::server
