#include "api/domains/domains.hpp"

namespace qylon::api {

std::vector<Domain> all_domains(bool model) {
  return {orgs_domain(),
          users_domain(),
          meetings_domain(),
          clients_domain(),
          meeting_insights_domain(model),
          voices_domain()};
}

}  // namespace qylon::api
