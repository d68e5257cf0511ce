#pragma once
/// Every domain of the platform: what `qylon schema` compares with a database, what has routes, and
/// what the reference describes.

#include <vector>

#include "api/core/domain.hpp"

namespace qylon::api {

Domain clients_domain();
/// With `model`, each meeting is also queued for ModelInsights.
Domain meeting_insights_domain(bool model);
Domain meetings_domain();
Domain orgs_domain();
Domain users_domain();
Domain voices_domain();

/// `model`: a language model reads meetings here.
std::vector<Domain> all_domains(bool model = false);

}  // namespace qylon::api
