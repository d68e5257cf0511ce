#include "api/core/ddl.hpp"

#include <algorithm>
#include <utility>

#include "api/core/policies.hpp"

namespace qylon::api {
namespace {

/// Collects the objects of one table.
class TableWriter {
 public:
  explicit TableWriter(const Entity& entity) : entity_(entity), table_(entity.name()) {}

  void write() {
    for (const Field& field : entity_.columns())
      add_checks(field);
    for (const Check& check : entity_.checks())
      add_constraint(check.name, "check (" + check.sql + ")");
    add_keys();
    add_indexes();
    add_security();
    add_grants();
    add_triggers();
  }
  void write_foreign_keys();
  std::vector<SchemaObject> take() { return std::move(objects_); }

 private:
  void add(const std::string& kind, const std::string& name, std::string create, std::string drop) {
    objects_.push_back({kind + " " + table_ + "." + name, std::move(create), std::move(drop)});
  }
  void add_constraint(const std::string& name, const std::string& definition) {
    const std::string full = table_ + "_" + name;
    add("constraint",
        full,
        "alter table " + table_ + " add constraint " + full + " " + definition,
        "alter table " + table_ + " drop constraint " + full);
  }
  void add_trigger(const std::string& name, const std::string& when, const std::string& call) {
    const std::string full = table_ + "_" + name;
    // A condition of the trigger belongs behind `for each row`.
    const std::size_t condition = when.find(" when ");
    add("trigger",
        full,
        "create trigger " + full + " " + when.substr(0, condition) + " on " + table_ +
            " for each row" + (condition == std::string::npos ? "" : when.substr(condition)) +
            " execute function " + call,
        "drop trigger " + full + " on " + table_);
  }
  void add_grant(const std::string& role, const std::string& privileges) {
    add("grant",
        role,
        "grant " + privileges + " on " + table_ + " to " + role,
        "revoke all on " + table_ + " from " + role);
  }
  void add_checks(const Field& field);
  void add_keys();
  void add_indexes();
  void add_index(const std::vector<std::string>& fields);
  void add_index(const std::string& name,
                 const std::string& columns,
                 const std::string& method = {});
  void add_security();
  void add_grants();
  void add_triggers();

  const Entity& entity_;
  const std::string table_;
  std::vector<SchemaObject> objects_;
};

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : between) + word;
  return text;
}

void TableWriter::add_checks(const Field& field) {
  if (!field.one_of.empty()) {
    std::vector<std::string> values;
    for (const std::string& value : field.one_of)
      values.push_back(sql_literal(value));
    add_constraint(field.name + "_one_of",
                   "check (" + field.name + " in (" + sql_list(values) + "))");
  }
  if (field.max > 0) {
    const char* const size = field.type == FieldType::kTexts ? "cardinality(" : "char_length(";
    add_constraint(field.name + "_max",
                   "check (" + (size + field.name) + ") <= " + std::to_string(field.max) + ")");
  }
  if (field.type == FieldType::kEmail)
    add_constraint(field.name + "_email", "check (" + field.name + " ~ '^[^@\\s]+@[^@\\s]+$')");
}

void TableWriter::add_keys() {
  add_constraint("pkey", "primary key (" + sql_list(entity_.key()) + ")");
  for (const auto& fields : entity_.uniques()) {
    add_constraint(joined(fields, "_") + "_key",
                   "unique (" + sql_list(entity_.with_tenant(fields)) + ")");
  }
}

void TableWriter::add_index(const std::string& name,
                            const std::string& columns,
                            const std::string& method) {
  const std::string full = table_ + "_" + name;
  add("index",
      full,
      "create index " + full + " on " + table_ + method + " (" + columns + ")",
      "drop index " + full);
}

void TableWriter::add_index(const std::vector<std::string>& fields) {
  add_index(joined(fields, "_") + "_idx", sql_list(fields));
}

void TableWriter::add_indexes() {
  if (!entity_.has_key()) add_index(entity_.with_tenant({"created_at", "id"}));
  for (const Field& field : entity_.fields()) {
    if (!field.references.empty() && !entity_.has_key())
      add_index(entity_.with_tenant({field.name}));
  }
  for (const Field& field : entity_.fields()) {
    if (field.type == FieldType::kSearch) add_index(field.name + "_idx", field.name, " using gin");
  }
  for (const auto& fields : entity_.indexes())
    add_index(entity_.with_tenant(fields));
  for (const Check& index : entity_.plain_indexes())
    add_index(index.name, index.sql);
}

void TableWriter::add_security() {
  add("security",
      "rows",
      "alter table " + table_ + " enable row level security, force row level security",
      "alter table " + table_ + " disable row level security");
  for (const Policy& policy : policies(entity_)) {
    const std::string full = table_ + "_" + policy.name;
    std::string sql = "create policy " + full + " on " + table_ + " for " + policy.verb + " to " +
                      sql_list(policy.roles);
    if (!policy.rows.empty()) sql += " using (" + policy.rows + ")";
    if (!policy.new_rows.empty()) sql += " with check (" + policy.new_rows + ")";
    add("policy", full, std::move(sql), "drop policy " + full + " on " + table_);
  }
}

void TableWriter::add_grants() {
  const bool append = entity_.scope() == Scope::kAppend;
  const std::string all = append ? "select, insert" : "select, insert, update, delete";
  // Rows of a table that only grows go away with their organisation or their month.
  add_grant("service_role", all);
  for (const std::string& role : entity_.other_roles())
    add_grant(role, "select, insert, update");
  switch (entity_.scope()) {
    case Scope::kOrganisation:
    case Scope::kAppend:
    case Scope::kOwner:
      add_grant("authenticated", entity_.is_written_by_server() ? "select" : all);
      break;
    case Scope::kTenant:
      add_grant("authenticated", "select, update");
      break;
    case Scope::kPublicInsert:
      add_grant("anon", "insert");
      add_grant("authenticated", "insert");
      break;
    case Scope::kService:
      break;
  }
}

void TableWriter::add_triggers() {
  if (entity_.scope() == Scope::kAppend) {
    add_trigger("immutable", "before update or delete", "app.refuse_change()");
  } else if (!entity_.has_key()) {
    add_trigger("touch", "before update", "app.touch()");
  }
  for (const Entity::Trigger& trigger : entity_.triggers())
    add_trigger(trigger.name, trigger.when, trigger.call);
  if (entity_.noun().empty()) return;
  std::string call = "app.emit(" + sql_literal(entity_.noun()) + ", 'created'";
  for (const Field& field : entity_.fields()) {
    if (field.secret) call += ", " + sql_literal(field.name);
  }
  add_trigger("emit", "after insert or update or delete", call + ")");
}

void TableWriter::write_foreign_keys() {
  for (const Field& field : entity_.fields()) {
    if (field.references.empty()) continue;
    const std::string tenant = entity_.has_organisation() ? "org_id, " : "";
    add_constraint(field.name + "_fkey",
                   "foreign key (" + tenant + field.name + ") references " + field.references +
                       " (" + tenant + "id) on delete cascade");
  }
  for (const ForeignKey& key : entity_.foreign_keys()) {
    add_constraint(joined(key.fields, "_") + "_fkey",
                   "foreign key (" + sql_list(key.fields) + ") references " + key.entity + " (" +
                       sql_list(key.target) + ") on delete cascade");
  }
  // Where a key leads through another row of the organisation, that row's key is enough.
  const auto& keys = entity_.foreign_keys();
  const bool through = std::any_of(keys.begin(), keys.end(), [](const ForeignKey& key) {
    return key.fields.front() == "org_id";
  });
  if (entity_.has_organisation() && !through) {
    add_constraint("org_id_fkey", "foreign key (org_id) references orgs (id) on delete cascade");
  }
}

}  // namespace

std::string sql_literal(const std::string& text) {
  std::string literal = "'";
  for (const char character : text) {
    if (character == '\'') literal += '\'';
    literal += character;
  }
  return literal + "'";
}

std::string sql_list(const std::vector<std::string>& words) {
  return joined(words, ", ");
}

std::string column_sql(const Field& field) {
  std::string sql = field.name + " " + sql_type(field.type);
  if (!field.generated_sql.empty())
    sql += " generated always as (" + field.generated_sql + ") stored";
  if (!field.default_sql.empty()) sql += " default " + field.default_sql;
  if (field.required) sql += " not null";
  return sql;
}

std::string create_table(const Entity& entity) {
  std::vector<std::string> columns;
  for (const Field& field : entity.columns())
    columns.push_back("\n  " + column_sql(field));
  const std::string create = "create table " + entity.name() + " (" + joined(columns, ",") + "\n)";
  if (!entity.is_monthly()) return create;
  const std::string fallback = entity.name() + "_default";
  return create + " partition by range (created_at);\ncreate table " + fallback + " partition of " +
         entity.name() + " default;\nalter table " + fallback +
         " enable row level security, force row level security;\nselect app.roll_months(" +
         sql_literal(entity.name()) + ", " + std::to_string(entity.keep_days()) + ")";
}

std::vector<SchemaObject> table_objects(const Entity& entity) {
  TableWriter writer(entity);
  writer.write();
  return writer.take();
}

std::vector<SchemaObject> foreign_keys(const Entity& entity) {
  TableWriter writer(entity);
  writer.write_foreign_keys();
  return writer.take();
}

}  // namespace qylon::api
