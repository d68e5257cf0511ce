#include "api/core/policies.hpp"

#include <utility>

#include "api/core/ddl.hpp"

namespace qylon::api {
namespace {

std::string can(const std::string& permission) {
  return "(select app.can(" + sql_literal(permission) + "))";
}
/// In the caller's organisation, where the caller's role and key allow it.
std::string in_org(const std::string& column, const std::string& permission) {
  return column + " = (select app.org_if(" + sql_literal(permission) + "))";
}
std::string scoped(const std::string& permission) {
  return "(select app.scoped(" + sql_literal(permission) + "))";
}

std::string with_guard(const Entity& entity, std::string rule) {
  if (!entity.guard().empty()) rule += " and (" + entity.guard() + ")";
  return rule;
}

/// Who may write everything may write; who may write what is theirs may write that.
std::string write_rule(const Entity& entity, const std::string& permission) {
  if (entity.write_permission() != "write" || !entity.has_column("created_by"))
    return with_guard(entity, in_org("org_id", entity.write_permission()));
  return with_guard(entity,
                    "org_id = (select app.org()) and (" + can(permission) +
                        " or created_by = (select auth.uid()) and " + can("write_own") + ")");
}

void add_member_policies(const Entity& entity, std::vector<Policy>& policies) {
  const std::string write = write_rule(entity, "write");
  const std::string remove = write_rule(entity, "delete");
  policies.push_back({"select", "select", {"authenticated"}, in_org("org_id", "read"), ""});
  if (entity.is_written_by_server()) return;
  policies.push_back({"insert", "insert", {"authenticated"}, "", write});
  if (entity.scope() == Scope::kAppend) return;
  policies.push_back({"update", "update", {"authenticated"}, write, write});
  policies.push_back({"delete", "delete", {"authenticated"}, remove, ""});
}

void add_owner_policies(const Entity& entity, std::vector<Policy>& policies) {
  const std::string own = "user_id = (select auth.uid()) and ";
  const std::string write = with_guard(entity, own + scoped("write_own"));
  policies.push_back({"select", "select", {"authenticated"}, own + scoped("read"), ""});
  policies.push_back({"insert", "insert", {"authenticated"}, "", write});
  policies.push_back({"update", "update", {"authenticated"}, write, write});
  policies.push_back({"delete", "delete", {"authenticated"}, write, ""});
}

void add_tenant_policies(const Entity& entity, std::vector<Policy>& policies) {
  const std::string manage = with_guard(entity, in_org("id", entity.write_permission()));
  policies.push_back({"select",
                      "select",
                      {"authenticated"},
                      "id = any ((select app.orgs())::uuid[]) and " + scoped("read"),
                      ""});
  policies.push_back({"update", "update", {"authenticated"}, manage, manage});
}

}  // namespace

std::vector<Policy> policies(const Entity& entity) {
  std::vector<Policy> policies;
  if (entity.has_organisation()) add_member_policies(entity, policies);
  if (entity.scope() == Scope::kOwner) add_owner_policies(entity, policies);
  if (entity.scope() == Scope::kTenant) add_tenant_policies(entity, policies);
  if (entity.scope() == Scope::kPublicInsert)
    policies.push_back({"insert", "insert", {"anon", "authenticated"}, "", "true"});
  // The server's own role is subject to policies too, where it cannot bypass them.
  policies.push_back({"service", "all", {"service_role"}, "true", "true"});
  if (entity.is_trusted()) policies.push_back({"owner", "all", {"current_user"}, "true", "true"});
  for (const std::string& role : entity.other_roles())
    policies.push_back({role, "all", {role}, "true", "true"});
  return policies;
}

}  // namespace qylon::api
