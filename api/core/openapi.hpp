#pragma once

#include <span>
#include <string>
#include <vector>

#include "api/core/domain.hpp"
#include "api/core/route_table.hpp"

namespace qylon::api {

/// The OpenAPI 3.1 document of every route. Those of the domains are described in full: bodies,
/// answers, parameters, who may call; of `others` method, path and permission. Every event is a
/// webhook (CloudEvents 1.0, structured).
/// Source: OpenAPI Specification 3.1.0; JSON Schema 2020-12.
std::string openapi_document(std::span<const Domain> domains, const RouteTable& others);

/// GET /api/openapi.json: the document of `domains`, and of all that `others` holds by now.
std::vector<Route> openapi_routes(std::span<const Domain> domains, const RouteTable& others);

}  // namespace qylon::api
