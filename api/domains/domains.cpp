#include "api/domains/domains.hpp"

namespace qylon::api {

std::vector<Domain> all_domains() {
  return {orgs_domain(),
          users_domain(),
          meetings_domain(),
          clients_domain(),
          meeting_insights_domain(),
          voices_domain()};
}

}  // namespace qylon::api
