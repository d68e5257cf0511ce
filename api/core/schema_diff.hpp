#pragma once
/// What must be done to a database so that it holds what the domains declare.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "api/core/domain.hpp"
#include "core/result.hpp"
#include "storage/pg_connection.hpp"

namespace qylon::api {

/// Every statement that makes the declared entities in an empty schema.
std::vector<std::string> schema_statements(std::span<const Domain> domains);

struct SchemaDiff {
  std::vector<std::string> statements;  ///< Of the next migration, in order.
  /// What would lose data and was not declared so: sentences that say what to declare.
  std::vector<std::string> refused;
  bool empty() const noexcept { return statements.empty() && refused.empty(); }
  /// The migration's text.
  std::string sql() const;
};

/// `declared` and `actual` are catalogs of PostgreSQL (storage/schema_catalog.hpp). Tables that
/// nobody declares are left alone.
SchemaDiff diff_schema(std::span<const Domain> domains,
                       const std::map<std::string, std::string>& declared,
                       const std::map<std::string, std::string>& actual);

/// As above for the schema `public`. `owner` is a connection of its owner. Changes nothing.
Result<SchemaDiff> diff_schema(std::span<const Domain> domains, storage::PgConnection& owner);

}  // namespace qylon::api
