#pragma once
/// What requests do with declared entities, as their callers: row-level security answers who may.

#include <cstdint>
#include <span>
#include <vector>

#include "api/core/database_jobs.hpp"
#include "api/core/domain.hpp"
#include "api/core/route_table.hpp"
#include "core/http.hpp"
#include "storage/database.hpp"

namespace qylon::api {

enum class Verb : std::uint8_t { kList, kGet, kCreate, kPatch, kDelete };

/// What routes an entity brings: GET and POST on its path, GET, PATCH and DELETE on path/{id}.
/// One that the server writes only GET; a kPublicInsert only POST; a kAppend nothing that changes
/// rows; a kTenant neither POST nor DELETE; a hidden one and a kService nothing.
std::vector<Verb> verbs_of(const Entity& entity);

/// "GET", "/api/clients/{id}" and who may call at all.
Route route_of(const Entity& entity, Verb verb);

/// Answers one call in one statement: 200, 201 or 204 with the row and its ETag; 304 for an ETag
/// that the caller has; 400 with JSON pointers; 403 where the row is seen and may not be changed;
/// 404; 409 for a key that is there; 412 for an If-Match that the row has left.
HttpResponse answer(const Entity& entity, Verb verb, const Call& call, storage::Session& session);

/// Every route of the domains, those of entities and operations. A full queue answers 503.
/// `jobs` must outlive the routes.
std::vector<Route> domain_routes(std::span<const Domain> domains, DatabaseJobs& jobs);

}  // namespace qylon::api
