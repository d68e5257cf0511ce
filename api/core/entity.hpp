#pragma once
/// What a domain keeps: entities declared once, from which tables, policies, routes, documents and
/// tests are derived.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/core/field.hpp"

namespace qylon::api {

/// Whose rows they are: one template of row-level security each.
enum class Scope : std::uint8_t {
  kOrganisation,  ///< Rows of the active organisation: its members read, their role says who
                  ///< writes.
  kOwner,         ///< Rows of one user.
  kPublicInsert,  ///< Anybody may add, only the server reads.
  kService,       ///< Only the server itself.
  kAppend,        ///< As kOrganisation, but a row is never changed or deleted.
  kTenant,        ///< The organisations themselves: members see theirs.
};

struct Check {
  std::string name;
  std::string sql;
};
struct ForeignKey {
  std::vector<std::string> fields;
  std::string entity;
  std::vector<std::string> target;
};

/// Fluent: a word about a field is about the one named last.
///
///     Entity("clients").organisation().emits("client")
///         .text("name").required().max(255)
///         .text("status").one_of({"lead", "active"}).by_default("'lead'")
///
/// Every row has id, created_at and updated_at (not kAppend); org_id and created_by where it is an
/// organisation's, user_id where it is a user's. The server sets these, never a request.
class Entity {
 public:
  explicit Entity(std::string name);

  // --- Whose, and for how long ---
  Entity& organisation() { return scope(Scope::kOrganisation); }
  Entity& owner() { return scope(Scope::kOwner); }
  Entity& public_insert() { return scope(Scope::kPublicInsert); }
  Entity& service() { return scope(Scope::kService); }
  Entity& append() { return scope(Scope::kAppend); }
  Entity& tenant() { return scope(Scope::kTenant); }
  Entity& monthly(int keep_days);  ///< Partitioned by created_at; whole months are dropped.
  /// Every change appends a `noun`.created, .updated or .deleted event in the same transaction.
  Entity& emits(std::string noun);
  Entity& path(std::string path);                    ///< Instead of /api/{name}.
  Entity& hidden();                                  ///< No routes of its own.
  Entity& write_permission(std::string permission);  ///< Instead of write, write_own and delete.
  /// What a written row must be, before and after, beside the scope's rule.
  Entity& guard(std::string sql);
  /// Functions that work as the schema's owner (app.org) read and write it.
  Entity& trusted();
  /// Members only read it.
  Entity& written_by_server();
  /// A role of an earlier release that still reads and writes it without taking on another.
  Entity& also_for(std::string role);
  /// What org_id is where a statement does not say it, instead of app.org().
  Entity& organisation_by_default(std::string sql);
  /// Only the declared columns, and org_id, with this primary key; no routes.
  Entity& keyed(std::initializer_list<const char*> fields);

  // --- Fields ---
  Entity& text(std::string name) { return add(std::move(name), FieldType::kText); }
  Entity& email(std::string name) { return add(std::move(name), FieldType::kEmail); }
  Entity& uuid(std::string name) { return add(std::move(name), FieldType::kUuid); }
  Entity& integer(std::string name) { return add(std::move(name), FieldType::kInteger); }
  Entity& big_integer(std::string name) { return add(std::move(name), FieldType::kBigInteger); }
  Entity& number(std::string name) { return add(std::move(name), FieldType::kNumber); }
  Entity& real(std::string name) { return add(std::move(name), FieldType::kReal); }
  Entity& flag(std::string name) { return add(std::move(name), FieldType::kFlag); }
  Entity& time(std::string name) { return add(std::move(name), FieldType::kTime); }
  Entity& date(std::string name) { return add(std::move(name), FieldType::kDate); }
  Entity& document(std::string name) { return add(std::move(name), FieldType::kDocument); }
  Entity& texts(std::string name) { return add(std::move(name), FieldType::kTexts); }
  Entity& bytes(std::string name) { return add(std::move(name), FieldType::kBytes); }
  /// The words (a tsvector) that `sql` makes of other columns, indexed.
  Entity& search(std::string name, std::string sql);
  /// The id of a row of `entity` in the same organisation.
  Entity& reference(std::string name, std::string entity);

  // --- About the field named last ---
  Entity& required();
  Entity& read_only();
  Entity& secret();
  Entity& personal();
  Entity& max(int count);
  Entity& one_of(std::initializer_list<const char*> values);
  Entity& by_default(std::string sql);
  Entity& renamed_from(std::string name);

  // --- Keys, indexes and checks; what identifies the organisation or user is put in front ---
  Entity& unique(std::initializer_list<const char*> fields);
  Entity& index(std::initializer_list<const char*> fields);
  /// An index with `columns` exactly as said, in SQL.
  Entity& plain_index(std::string name, std::string columns);
  Entity& check(std::string name, std::string sql);
  /// A key of several columns, exactly as said.
  Entity& foreign(std::initializer_list<const char*> fields,
                  std::string entity,
                  std::initializer_list<const char*> target);
  /// A trigger that no template knows: `when` ("before insert") and `call` ("app.f()").
  Entity& trigger(std::string name, std::string when, std::string call);

  // --- What a migration may destroy: without these words it may not ---
  Entity& dropped(std::string column);

  const std::string& name() const noexcept { return name_; }
  Scope scope() const noexcept { return scope_; }
  const std::string& noun() const noexcept { return noun_; }
  const std::string& path() const noexcept { return path_; }
  const std::string& write_permission() const noexcept { return write_permission_; }
  const std::string& guard() const noexcept { return guard_; }
  bool is_hidden() const noexcept { return hidden_; }
  bool is_written_by_server() const noexcept { return written_by_server_; }
  bool is_trusted() const noexcept { return trusted_; }
  bool is_monthly() const noexcept { return keep_days_ > 0; }
  bool has_key() const noexcept { return !key_.empty(); }
  int keep_days() const noexcept { return keep_days_; }
  /// As declared: without those that the server adds.
  const std::vector<Field>& fields() const noexcept { return fields_; }
  /// Every column, in the table's order.
  std::vector<Field> columns() const;
  /// The primary key's columns.
  std::vector<std::string> key() const;
  /// `fields` behind what says whose the row is.
  std::vector<std::string> with_tenant(std::vector<std::string> fields) const;
  const std::vector<std::vector<std::string>>& uniques() const noexcept { return uniques_; }
  const std::vector<std::vector<std::string>>& indexes() const noexcept { return indexes_; }
  const std::vector<Check>& plain_indexes() const noexcept { return plain_indexes_; }
  const std::vector<Check>& checks() const noexcept { return checks_; }
  const std::vector<ForeignKey>& foreign_keys() const noexcept { return foreign_keys_; }
  struct Trigger {
    std::string name, when, call;
  };
  const std::vector<Trigger>& triggers() const noexcept { return triggers_; }
  const std::vector<std::string>& other_roles() const noexcept { return other_roles_; }
  const std::vector<std::string>& dropped_columns() const noexcept { return dropped_; }

  bool has_organisation() const noexcept {
    return scope_ == Scope::kOrganisation || scope_ == Scope::kAppend;
  }
  bool has_column(std::string_view name) const;

 private:
  Entity& scope(Scope scope);
  Entity& add(std::string name, FieldType type);
  Field& last();

  std::string name_;
  Scope scope_ = Scope::kOrganisation;
  std::string noun_;
  std::string path_;
  std::string write_permission_ = "write";
  std::string guard_;
  std::string organisation_default_ = "app.org()";
  bool hidden_ = false;
  bool trusted_ = false;
  bool written_by_server_ = false;
  int keep_days_ = 0;
  std::vector<std::string> key_;
  std::vector<Field> fields_;
  std::vector<std::vector<std::string>> uniques_;
  std::vector<std::vector<std::string>> indexes_;
  std::vector<Check> plain_indexes_;
  std::vector<Check> checks_;
  std::vector<ForeignKey> foreign_keys_;
  std::vector<Trigger> triggers_;
  std::vector<std::string> other_roles_;
  std::vector<std::string> dropped_;
};

}  // namespace qylon::api
