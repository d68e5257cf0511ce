#include "api/core/crud_sql.hpp"

#include <algorithm>

#include "api/core/ddl.hpp"
#include "core/check.hpp"

namespace qylon::api {
namespace {

/// What a caller sees of the row `t`, as JSON.
std::string row_json(const Entity& entity) {
  std::string pairs;
  int count = 0;
  for (const Field& field : entity.columns()) {
    if (field.secret) continue;
    const std::string column = "t." + field.name;
    pairs += (pairs.empty() ? "" : ", ") + sql_literal(field.name) + ", " +
             (field.type == FieldType::kBytes ? "encode(" + column + ", 'base64')" : column);
    ++count;
  }
  QYLON_CHECK(count <= 50);  // PostgreSQL passes a function 100 arguments.
  return "json_build_object(" + pairs + ")::text";
}

/// What changes whenever the row does.
std::string tag_of(const Entity& entity) {
  const char* const time = entity.scope() == Scope::kAppend ? "created_at" : "updated_at";
  return "(extract(epoch from t." + std::string(time) + ") * 1000000)::bigint::text";
}

/// The value of `field` in the record `r` made of parameter $1.
std::string value_of(const Entity& entity, const std::string& name) {
  const std::vector<Field>& fields = entity.fields();
  const auto field = std::find_if(
      fields.begin(), fields.end(), [&name](const Field& f) { return f.name == name; });
  QYLON_CHECK(field != fields.end());
  if (field->type != FieldType::kBytes) return "r." + name;
  return "decode($1::jsonb ->> " + sql_literal(name) + ", 'base64')";
}

/// Bytes are decoded apart: as JSON they are text of another form than PostgreSQL's.
std::string record(const Entity& entity) {
  std::string without;
  for (const Field& field : entity.fields()) {
    if (field.type == FieldType::kBytes) without += " - " + sql_literal(field.name);
  }
  return "jsonb_populate_record(null::" + entity.name() + ", $1::jsonb" + without + ") r";
}

std::string condition_sql(const Condition& condition, std::size_t parameter) {
  const std::string column = "t." + condition.field;
  const std::string value = "$" + std::to_string(parameter);
  if (condition.op == "is")
    return column + (condition.value == "not_null" ? " is not null" : " is " + condition.value);
  if (condition.op == "in") return column + " = any (" + value + "::" + condition.cast + "[])";
  return column + " " + condition.op + " " + value + "::" + condition.cast;
}

std::string type_of(const Entity& entity, const std::string& name) {
  for (const Field& field : entity.columns()) {
    if (field.name == name) return sql_type(field.type);
  }
  QYLON_CHECK(false);
  return {};
}

std::string changed_and_tag(const Entity& entity, const std::string& change) {
  return "with changed as (" + change + ") select c.body, c.tag, (select " + tag_of(entity) +
         " from " + entity.name() +
         " t where t.id = $2::uuid) from (select) one left join changed c on true";
}

const char* const kTagsAllow = " and ($3::text[] is null or ";

}  // namespace

Statement list_statement(const Entity& entity, const ListQuery& query) {
  const std::string way = query.descending ? " desc" : " asc";
  Statement statement;
  std::string where;
  const auto add = [&where](const std::string& condition) {
    where += (where.empty() ? " where " : " and ") + condition;
  };
  for (const Condition& condition : query.conditions) {
    if (condition.op != "is") statement.values.emplace_back(condition.value);
    add(condition_sql(condition, statement.values.size()));
  }
  if (query.after) {
    const std::size_t next = statement.values.size() + 1;
    add("(t." + query.order + ", t.id) " + (query.descending ? "<" : ">") + " ($" +
        std::to_string(next) + "::" + type_of(entity, query.order) + ", $" +
        std::to_string(next + 1) + "::uuid)");
    statement.values.emplace_back(query.after->first);
    statement.values.emplace_back(query.after->second);
  }
  statement.sql = "select " + row_json(entity) + ", t." + query.order + "::text, t.id::text from " +
                  entity.name() + " t" + where + " order by t." + query.order + way + ", t.id" +
                  way + " limit " + std::to_string(query.limit + 1);
  return statement;
}

Statement get_statement(const Entity& entity, const std::string& id) {
  return {"select " + row_json(entity) + ", " + tag_of(entity) + " from " + entity.name() +
              " t where t.id = $1::uuid",
          {id}};
}

Statement create_statement(const Entity& entity,
                           const std::string& json,
                           const std::vector<std::string>& keys) {
  Statement statement;
  statement.sql = "insert into " + entity.name() + " as t ";
  if (keys.empty()) {
    statement.sql += "default values";
  } else {
    std::vector<std::string> values;
    for (const std::string& key : keys)
      values.push_back(value_of(entity, key));
    statement.sql +=
        "(" + sql_list(keys) + ") select " + sql_list(values) + " from " + record(entity);
    statement.values.emplace_back(json);
  }
  if (entity.scope() != Scope::kPublicInsert)
    statement.sql += " returning " + row_json(entity) + ", " + tag_of(entity) + ", t.id::text";
  return statement;
}

Statement patch_statement(const Entity& entity,
                          const std::string& id,
                          const std::string& json,
                          const std::vector<std::string>& keys,
                          const storage::SqlValue& tags) {
  std::string changes;
  for (const std::string& key : keys)
    changes += (changes.empty() ? "" : ", ") + key + " = " + value_of(entity, key);
  const std::string tag = tag_of(entity);
  return {
      changed_and_tag(entity,
                      "update " + entity.name() + " t set " + changes + " from " + record(entity) +
                          " where t.id = $2::uuid" + kTagsAllow + tag + " = any ($3)) returning " +
                          row_json(entity) + " as body, " + tag + " as tag"),
      {json, id, tags}};
}

Statement delete_statement(const Entity& entity,
                           const std::string& id,
                           const storage::SqlValue& tags) {
  const std::string tag = tag_of(entity);
  // $1 keeps the place that it has in patch_statement().
  return {changed_and_tag(entity,
                          "delete from " + entity.name() + " t where t.id = $2::uuid and $1::text" +
                              " is null" + kTagsAllow + tag +
                              " = any ($3)) returning t.id::text as body, " + tag + " as tag"),
          {std::nullopt, id, tags}};
}

}  // namespace qylon::api
