#include "api/core/entity.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace qylon::api {
namespace {

Field server_field(std::string name, FieldType type, std::string default_sql) {
  Field field;
  field.name = std::move(name);
  field.type = type;
  field.required = true;
  field.read_only = true;
  field.default_sql = std::move(default_sql);
  return field;
}

std::vector<std::string> strings(std::initializer_list<const char*> values) {
  return {values.begin(), values.end()};
}

}  // namespace

Entity::Entity(std::string name) : name_(std::move(name)), path_("/api/" + name_) {}

Entity& Entity::scope(Scope scope) {
  scope_ = scope;
  return *this;
}

Entity& Entity::monthly(int keep_days) {
  QYLON_CHECK(keep_days > 0);
  keep_days_ = keep_days;
  return *this;
}

Entity& Entity::emits(std::string noun) {
  noun_ = std::move(noun);
  return *this;
}

Entity& Entity::path(std::string path) {
  path_ = std::move(path);
  return *this;
}

Entity& Entity::hidden() {
  hidden_ = true;
  return *this;
}

Entity& Entity::write_permission(std::string permission) {
  write_permission_ = std::move(permission);
  return *this;
}

Entity& Entity::guard(std::string sql) {
  guard_ = std::move(sql);
  return *this;
}

Entity& Entity::trusted() {
  trusted_ = true;
  return *this;
}

Entity& Entity::written_by_server() {
  written_by_server_ = true;
  return *this;
}

Entity& Entity::also_for(std::string role) {
  other_roles_.push_back(std::move(role));
  return *this;
}

Entity& Entity::organisation_by_default(std::string sql) {
  organisation_default_ = std::move(sql);
  return *this;
}

Entity& Entity::keyed(std::initializer_list<const char*> fields) {
  key_ = strings(fields);
  return hidden();
}

Entity& Entity::reference(std::string name, std::string entity) {
  add(std::move(name), FieldType::kUuid);
  last().references = std::move(entity);
  return *this;
}

Entity& Entity::search(std::string name, std::string sql) {
  add(std::move(name), FieldType::kSearch);
  last().generated_sql = std::move(sql);
  return read_only().secret();
}

Entity& Entity::required() {
  last().required = true;
  return *this;
}

Entity& Entity::read_only() {
  last().read_only = true;
  return *this;
}

Entity& Entity::secret() {
  last().secret = true;
  return *this;
}

Entity& Entity::personal() {
  last().personal = true;
  return *this;
}

Entity& Entity::max(int count) {
  QYLON_CHECK(count > 0);
  last().max = count;
  return *this;
}

Entity& Entity::one_of(std::initializer_list<const char*> values) {
  last().one_of = strings(values);
  return *this;
}

Entity& Entity::by_default(std::string sql) {
  last().default_sql = std::move(sql);
  return *this;
}

Entity& Entity::renamed_from(std::string name) {
  last().renamed_from = std::move(name);
  return *this;
}

Entity& Entity::unique(std::initializer_list<const char*> fields) {
  uniques_.push_back(strings(fields));
  return *this;
}

Entity& Entity::index(std::initializer_list<const char*> fields) {
  indexes_.push_back(strings(fields));
  return *this;
}

Entity& Entity::plain_index(std::string name, std::string columns) {
  plain_indexes_.push_back({std::move(name), std::move(columns)});
  return *this;
}

Entity& Entity::check(std::string name, std::string sql) {
  checks_.push_back({std::move(name), std::move(sql)});
  return *this;
}

Entity& Entity::foreign(std::initializer_list<const char*> fields,
                        std::string entity,
                        std::initializer_list<const char*> target) {
  foreign_keys_.push_back({strings(fields), std::move(entity), strings(target)});
  return *this;
}

Entity& Entity::trigger(std::string name, std::string when, std::string call) {
  triggers_.push_back({std::move(name), std::move(when), std::move(call)});
  return *this;
}

Entity& Entity::dropped(std::string column) {
  dropped_.push_back(std::move(column));
  return *this;
}

std::vector<Field> Entity::columns() const {
  std::vector<Field> columns;
  if (!has_key()) columns.push_back(server_field("id", FieldType::kUuid, "gen_random_uuid()"));
  if (has_organisation())
    columns.push_back(server_field("org_id", FieldType::kUuid, organisation_default_));
  if (scope_ == Scope::kOwner)
    columns.push_back(server_field("user_id", FieldType::kUuid, "auth.uid()"));
  columns.insert(columns.end(), fields_.begin(), fields_.end());
  if (has_key()) return columns;
  if (has_organisation()) {
    columns.push_back(server_field("created_by", FieldType::kUuid, "auth.uid()"));
    columns.back().required = false;  // The server's own rows are nobody's.
  }
  columns.push_back(server_field("created_at", FieldType::kTime, "now()"));
  if (scope_ != Scope::kAppend)
    columns.push_back(server_field("updated_at", FieldType::kTime, "now()"));
  return columns;
}

std::vector<std::string> Entity::key() const {
  if (has_key()) return key_;
  std::vector<std::string> key = with_tenant({"id"});
  if (is_monthly()) key.emplace_back("created_at");
  return key;
}

std::vector<std::string> Entity::with_tenant(std::vector<std::string> fields) const {
  if (has_organisation()) fields.insert(fields.begin(), "org_id");
  if (scope_ == Scope::kOwner) fields.insert(fields.begin(), "user_id");
  return fields;
}

bool Entity::has_column(std::string_view name) const {
  const std::vector<Field> all = columns();
  return std::any_of(
      all.begin(), all.end(), [name](const Field& field) { return field.name == name; });
}

Entity& Entity::add(std::string name, FieldType type) {
  Field field;
  field.name = std::move(name);
  field.type = type;
  fields_.push_back(std::move(field));
  return *this;
}

Field& Entity::last() {
  QYLON_CHECK(!fields_.empty());
  return fields_.back();
}

}  // namespace qylon::api
