#pragma once
/// The SQL that a declared entity stands for.

#include <string>
#include <vector>

#include "api/core/entity.hpp"

namespace qylon::api {

/// One object of a schema, with the statements that make and remove it. `key` is what
/// storage/schema_catalog.hpp calls the same object, so that the two can be compared.
struct SchemaObject {
  std::string key;  ///< "column clients.name", "policy clients.clients_select", ...
  std::string create;
  std::string drop;
};

/// `create table` with its columns. A monthly one comes with its default partition, so that a row
/// of any time finds a place.
std::string create_table(const Entity& entity);

/// What a column is in `create table` and in `alter table ... add column`.
std::string column_sql(const Field& field);

/// Everything on the table but its columns, in an order in which it can be made: checks and keys,
/// indexes, row-level security, policies, grants, triggers. Foreign keys come apart, because the
/// table that they refer to may be declared later.
/// Source: PostgreSQL 15 manual, section 5.8, "Row Security Policies".
std::vector<SchemaObject> table_objects(const Entity& entity);
std::vector<SchemaObject> foreign_keys(const Entity& entity);

/// Text as an SQL literal.
std::string sql_literal(const std::string& text);
/// "a, b".
std::string sql_list(const std::vector<std::string>& words);

}  // namespace qylon::api
