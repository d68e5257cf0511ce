#include "api/core/schema_diff.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "api/core/ddl.hpp"
#include "storage/schema_catalog.hpp"

namespace qylon::api {
namespace {

using Catalog = std::map<std::string, std::string>;

/// "column" and "clients" of "column clients.name".
std::string_view kind_of(std::string_view key) {
  return key.substr(0, key.find(' '));
}
std::string table_of(std::string_view key) {
  const std::string_view rest = key.substr(key.find(' ') + 1);
  return std::string(rest.substr(0, rest.find('.')));
}
std::string name_of(std::string_view key) {
  return std::string(key.substr(key.find('.') + 1));
}

/// A statement that removes what nobody declares; empty for columns, which hold data.
std::string removal(const std::string& key) {
  const std::string_view kind = kind_of(key);
  const std::string on = " on " + table_of(key);
  if (kind == "constraint")
    return "alter table " + table_of(key) + " drop constraint " + name_of(key);
  if (kind == "index") return "drop index " + name_of(key);
  if (kind == "policy") return "drop policy " + name_of(key) + on;
  if (kind == "trigger") return "drop trigger " + name_of(key) + on;
  if (kind == "grant") return "revoke all" + on + " from " + name_of(key);
  return {};
}

class Differ {
 public:
  Differ(std::span<const Domain> domains, const Catalog& declared, const Catalog& actual)
      : domains_(domains), declared_(declared), actual_(actual) {}

  SchemaDiff run() {
    for_each_entity([this](const Entity& entity) { visit_table(entity); });
    for_each_entity([this](const Entity& entity) { find_surplus(entity); });
    for_each_entity([this](const Entity& entity) { visit_objects(table_objects(entity)); });
    for_each_entity([this](const Entity& entity) { visit_objects(foreign_keys(entity)); });
    SchemaDiff diff;
    // Keys of other tables hold on to a key: foreign ones go first.
    std::stable_partition(drops_.begin(), drops_.end(), [](const std::string& statement) {
      return statement.ends_with("_fkey");
    });
    for (std::vector<std::string>* part : {&drops_, &tables_, &creates_})
      diff.statements.insert(diff.statements.end(), part->begin(), part->end());
    diff.refused = std::move(refused_);
    return diff;
  }

 private:
  template <typename Visit>
  void for_each_entity(const Visit& visit) const {
    for (const Domain& domain : domains_) {
      for (const Entity& entity : domain.entities)
        visit(entity);
    }
  }

  void visit_table(const Entity& entity) {
    const std::string key = "table " + entity.name();
    const auto found = actual_.find(key);
    if (found == actual_.end()) {
      tables_.push_back(create_table(entity));
      return;
    }
    if (found->second != declared_.at(key))
      refused_.push_back(key + " changes its partitions; write that migration by hand");
    for (const Field& field : entity.columns())
      visit_column(entity, field);
    for (const std::string& column : entity.dropped_columns()) {
      if (actual_.contains("column " + entity.name() + "." + column))
        tables_.push_back("alter table " + entity.name() + " drop column " + column);
    }
  }

  void visit_column(const Entity& entity, const Field& field) {
    const std::string prefix = "column " + entity.name() + ".";
    const std::string alter = "alter table " + entity.name() + " ";
    auto found = actual_.find(prefix + field.name);
    if (found == actual_.end() && !field.renamed_from.empty()) {
      found = actual_.find(prefix + field.renamed_from);
      if (found != actual_.end())
        tables_.push_back(alter + "rename column " + field.renamed_from + " to " + field.name);
    }
    if (found == actual_.end()) {
      tables_.push_back(alter + "add column " + column_sql(field));
      return;
    }
    const std::string& wanted = declared_.at(prefix + field.name);
    if (found->second != wanted) alter_column(entity, field, found->second, wanted);
  }

  void alter_column(const Entity& entity,
                    const Field& field,
                    const std::string& is,
                    const std::string& wanted) {
    const auto type_of = [](const std::string& definition) {
      const std::size_t end = std::min(definition.find(" default "), definition.find(" not null"));
      return definition.substr(0, end);
    };
    if (type_of(is) != type_of(wanted)) {
      refused_.push_back("column " + entity.name() + "." + field.name + " is " + type_of(is) +
                         " and declared " + type_of(wanted) + "; write that migration by hand");
      return;
    }
    const std::string alter = "alter table " + entity.name() + " alter column " + field.name + " ";
    tables_.push_back(
        alter + (field.default_sql.empty() ? "drop default" : "set default " + field.default_sql));
    if (is.ends_with(" not null") != field.required)
      tables_.push_back(alter + (field.required ? "set not null" : "drop not null"));
  }

  /// What is on a declared table and not declared.
  void find_surplus(const Entity& entity) {
    for (const auto& [key, definition] : actual_) {
      if (table_of(key) != entity.name() || declared_.contains(key)) continue;
      if (kind_of(key) != "column") {
        drops_.push_back(removal(key));
      } else if (!is_renamed_or_dropped(entity, name_of(key))) {
        refused_.push_back(key + " is not declared; say .dropped(\"" + name_of(key) +
                           "\") or .renamed_from(\"" + name_of(key) + "\")");
      }
    }
  }
  static bool is_renamed_or_dropped(const Entity& entity, const std::string& column) {
    const auto& dropped = entity.dropped_columns();
    if (std::find(dropped.begin(), dropped.end(), column) != dropped.end()) return true;
    return std::any_of(entity.fields().begin(),
                       entity.fields().end(),
                       [&column](const Field& field) { return field.renamed_from == column; });
  }

  void visit_objects(const std::vector<SchemaObject>& objects) {
    for (const SchemaObject& object : objects) {
      const auto found = actual_.find(object.key);
      if (found != actual_.end() && found->second == declared_.at(object.key)) continue;
      // Row security is a state that is always there; making it is changing it.
      if (found != actual_.end() && kind_of(object.key) != "security")
        drops_.push_back(object.drop);
      creates_.push_back(object.create);
    }
  }

  const std::span<const Domain> domains_;
  const Catalog& declared_;
  const Catalog& actual_;
  std::vector<std::string> drops_;
  std::vector<std::string> tables_;
  std::vector<std::string> creates_;
  std::vector<std::string> refused_;
};

}  // namespace

std::string SchemaDiff::sql() const {
  std::string text;
  for (const std::string& statement : statements)
    text += statement + ";\n";
  return text;
}

std::vector<std::string> schema_statements(std::span<const Domain> domains) {
  std::vector<std::string> statements;
  const auto append = [&statements](const std::vector<SchemaObject>& objects) {
    for (const SchemaObject& object : objects)
      statements.push_back(object.create);
  };
  for (const Domain& domain : domains) {
    for (const Entity& entity : domain.entities) {
      statements.push_back(create_table(entity));
      append(table_objects(entity));
    }
  }
  for (const Domain& domain : domains) {
    for (const Entity& entity : domain.entities)
      append(foreign_keys(entity));
  }
  return statements;
}

SchemaDiff diff_schema(std::span<const Domain> domains,
                       const std::map<std::string, std::string>& declared,
                       const std::map<std::string, std::string>& actual) {
  return Differ(domains, declared, actual).run();
}

Result<SchemaDiff> diff_schema(std::span<const Domain> domains, storage::PgConnection& owner) {
  const auto declared = storage::try_schema(owner, schema_statements(domains));
  if (!declared) return declared.error();
  const auto actual = storage::read_schema_catalog(owner, "public");
  if (!actual) return actual.error();
  return diff_schema(domains, *declared, *actual);
}

}  // namespace qylon::api
