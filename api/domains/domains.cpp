#include "api/domains/domains.hpp"

namespace qylon::api {

std::vector<Domain> all_domains() {
  return {orgs_domain()};
}

}  // namespace qylon::api
