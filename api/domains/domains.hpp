#pragma once
/// Every domain of the platform: what `qylon schema` compares with a database, what has routes, and
/// what the reference describes.

#include <vector>

#include "api/core/domain.hpp"

namespace qylon::api {

Domain clients_domain();
Domain meeting_insights_domain();
Domain meetings_domain();
Domain orgs_domain();
Domain users_domain();
Domain voices_domain();

std::vector<Domain> all_domains();

}  // namespace qylon::api
