#include "api/compat/supabase_auth.hpp"

#include <iterator>

namespace qylon::api {

std::vector<Route> supabase_auth_routes(AuthContext& context) {
  std::vector<Route> all;
  for (const auto part :
       {&login_routes, &mailbox_routes, &account_routes, &factor_routes, &admin_routes}) {
    auto routes = part(context);
    std::move(routes.begin(), routes.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace qylon::api
