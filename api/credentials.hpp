#pragma once
/// Secrets that an organisation keeps here for what the server does in its name.

#include <vector>

#include "api/core/database_jobs.hpp"
#include "api/core/route_table.hpp"
#include "api/core/vault.hpp"

namespace qylon::api {

/// The routes about credentials, as docs/PROTOCOL.md lists them. Managers store, list and remove
/// them; no route ever answers with a secret.
///
/// Threads : any; they never block. `jobs` and `vault` must outlive the routes and the calls.
std::vector<Route> credential_routes(DatabaseJobs& jobs, const Vault& vault);

}  // namespace qylon::api
