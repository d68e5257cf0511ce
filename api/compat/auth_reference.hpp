#pragma once

#include "api/core/domain.hpp"

namespace qylon::api {

/// What the OpenAPI document says about the routes of supabase_auth_routes(), which answer by
/// themselves: operations without handlers.
Domain identity_reference();

}  // namespace qylon::api
