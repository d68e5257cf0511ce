#pragma once
/// What PostgreSQL says a schema holds, in its own words, so that two schemas can be compared.

#include <map>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "storage/pg_connection.hpp"

namespace qylon::storage {

/// Key of an object ("table clients", "column clients.name", "policy clients.clients_select", ...)
/// to its definition. The owner of a table is called "owner" in policies, whoever it is.
using SchemaCatalog = std::map<std::string, std::string>;

/// Everything on the tables of `schema`: columns, constraints, indexes, row-level security,
/// policies, grants, triggers. Partitions are left out: they follow their parent. `owner` is a
/// connection of the schema's owner (PrivateCluster::owner_url()).
Result<SchemaCatalog> read_schema_catalog(PgConnection& owner, const std::string& schema);

/// The catalog that `statements` make of an empty schema, which is gone afterwards: it is made in a
/// transaction that rolls back. Names that it lacks are found in `public`.
/// Errors: kInvalidArgument with the statement that PostgreSQL refuses.
Result<SchemaCatalog> try_schema(PgConnection& owner, const std::vector<std::string>& statements);

}  // namespace qylon::storage
