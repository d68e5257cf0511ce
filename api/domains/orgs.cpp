/// Organisations, who is in them, and what their roles may do.

#include "api/domains/domains.hpp"

namespace qylon::api {

Domain orgs_domain() {
  Domain domain{"orgs", {}};
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
  // Only an owner makes or unmakes owners.
  domain.entities.push_back(Entity("org_members")
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
                                .plain_index("user_id_idx", "user_id"));
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
