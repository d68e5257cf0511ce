#include "api/domains/domains.hpp"

namespace qylon::api {

std::vector<Domain> all_domains() {
  return {orgs_domain(), meetings_domain()};
}

}  // namespace qylon::api
