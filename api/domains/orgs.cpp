/// Organisations, who is in them, and what their roles may do.

#include "api/core/sql_answer.hpp"
#include "api/domains/domains.hpp"

namespace qylon::api {
namespace {

HttpResponse create_org(const Call& call, storage::Session& session) {
  return sql_answer(
      call,
      session,
      {"select to_jsonb(o)::text from app.create_org($1::jsonb ->> 'name') o", {call.request.body}},
      "there is no such organisation",
      201);
}

/// The tokens that the caller gets from now on work there.
HttpResponse switch_org(const Call& call, storage::Session& session) {
  return sql_answer_about(call,
                          session,
                          "orgs that you are a member of",
                          {"select app.switch_org($1::uuid)::text", {}});
}

std::vector<Operation> routes() {
  return {{.method = "POST",
           .path = "/api/orgs",
           .summary = "Makes an organisation, whose owner the caller is.",
           .body = Entity("").text("name").required().max(200).fields(),
           .returns = "orgs",
           .status = 201,
           .handler = create_org},
          {.method = "POST",
           .path = "/api/users/me/switch/{id}",
           .summary = "Makes an organisation the one in which the caller's next tokens work.",
           .handler = switch_org}};
}

}  // namespace

Domain orgs_domain() {
  Domain domain{.name = "orgs", .operations = routes()};
  domain.entities.push_back(Entity("orgs")
                                .tenant()
                                .emits("org")
                                .trusted()
                                .write_permission("manage")
                                .text("name")
                                .required()
                                .max(200)
                                .document("settings")
                                .required()
                                .by_default("'{}'"));
  // Only an owner makes or unmakes owners. A member's user need not be a row of ours: users of a
  // trusted issuer have none.
  domain.entities.push_back(
      Entity("org_members")
          .organisation()
          .trusted()
          .emits("org_member")
          .path("/api/orgs/members")
          .write_permission("manage_users")
          .guard("role <> 'owner' or (select app.can('manage_owners'))")
          .uuid("user_id")
          .required()
          .text("role")
          .required()
          .one_of({"owner", "admin", "user", "viewer"})
          .by_default("'user'")
          .unique({"user_id"})
          .plain_index("user_id_idx", "user_id")
          .trigger("keep_an_owner", "before update or delete", "app.keep_an_owner()"));
  domain.entities.push_back(Entity("role_permissions")
                                .service()
                                .trusted()
                                .keyed({"role", "permission"})
                                .text("role")
                                .required()
                                .text("permission")
                                .required());
  return domain;
}

}  // namespace qylon::api
