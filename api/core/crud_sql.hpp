#pragma once
/// The one statement of each thing that is done with an entity.

#include <string>
#include <vector>

#include "api/core/entity.hpp"
#include "api/core/filter.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

struct Statement {
  std::string sql;
  std::vector<storage::SqlValue> values;
};

/// Rows (row as JSON, its order value, its id), one more than the limit where there are more.
Statement list_statement(const Entity& entity, const ListQuery& query);
/// A row (row as JSON, its tag) or none.
Statement get_statement(const Entity& entity, const std::string& id);
/// `keys` are those of `json`, both as validate() gives them. A row (row as JSON, its tag, its id);
/// of kPublicInsert an empty one, since who adds may not read.
Statement create_statement(const Entity& entity,
                           const std::string& json,
                           const std::vector<std::string>& keys);
/// `tags`: a PostgreSQL array of those that the row may have, or nothing. One row: the changed row
/// as JSON and its new tag, both null when nothing changed, and the tag before, null when the
/// caller sees no such row.
Statement patch_statement(const Entity& entity,
                          const std::string& id,
                          const std::string& json,
                          const std::vector<std::string>& keys,
                          const storage::SqlValue& tags);
/// As above, with the id in place of the row.
Statement delete_statement(const Entity& entity,
                           const std::string& id,
                           const storage::SqlValue& tags);

}  // namespace qylon::api
