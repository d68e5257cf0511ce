#include "api/compat/auth_reference.hpp"

#include <utility>

namespace qylon::api {
namespace {

using enum Permission;
using Operations = std::vector<Operation>;

/// 422: GoTrue's status for what is well formed and cannot be done.
Operation route(std::string method,
                std::string path,
                Permission permission,
                std::string summary,
                const Entity& body = Entity("")) {
  return {.method = std::move(method),
          .path = std::move(path),
          .summary = std::move(summary),
          .permission = permission,
          .body = body.fields(),
          .refusals = {422}};
}
Operation with_status(Operation operation, int status) {
  operation.status = status;
  return operation;
}
Operation with_query(Operation operation, const Entity& query) {
  operation.query = query.fields();
  return operation;
}

Entity credentials() {
  Entity body("");
  body.email("email").required().text("password").required();
  return body;
}
Entity address() {
  Entity body("");
  body.email("email").required().document("data").text("code_challenge");
  body.text("code_challenge_method");
  return body;
}
Entity account() {
  Entity body("");
  body.email("email").text("password").flag("email_confirm").document("user_metadata");
  body.document("app_metadata").text("ban_duration");
  return body;
}

Operations login() {
  Entity proof("");
  proof.email("email").text("password").text("refresh_token").text("auth_code");
  proof.text("code_verifier");
  Entity grant("");
  grant.text("grant_type").required().one_of({"password", "refresh_token", "pkce"});
  return {route("POST", "/auth/v1/signup", kOpen, "Makes an account", credentials()),
          with_query(route("POST", "/auth/v1/token", kOpen, "A session for a proof", proof), grant),
          with_status(route("POST", "/auth/v1/logout", kUser, "Ends sessions"), 204),
          route("POST", "/api/auth/login", kOpen, "A session, in a cookie too", credentials()),
          with_status(route("POST", "/api/auth/logout", kUser, "Ends the cookie's session"), 204)};
}

Operations mailbox() {
  Entity typed = address();
  typed.text("type").required().one_of({"signup", "email_change"});
  Entity create = address();
  create.flag("create_user");
  Entity proof("");
  proof.text("type").required().one_of(
      {"email", "signup", "invite", "magiclink", "recovery", "email_change"});
  proof.text("token").text("token_hash").email("email");
  Entity link("");
  link.text("type").text("token").text("redirect_to");
  return {route("POST", "/auth/v1/recover", kOpen, "Mails a link to a new password", address()),
          route("POST", "/auth/v1/otp", kOpen, "Mails a link that signs in", create),
          route("POST", "/auth/v1/resend", kOpen, "Mails once more", typed),
          route("POST", "/auth/v1/verify", kOpen, "A session for a mailed code or link", proof),
          with_status(
              with_query(route("GET", "/auth/v1/verify", kOpen, "Where mailed links lead"), link),
              303)};
}

Operations user() {
  Entity change("");
  change.email("email").text("password").document("data");
  Entity key("");
  key.text("name").required().texts("scopes").required().uuid("org_id").integer("expires_in");
  return {route("GET", "/auth/v1/user", kUser, "Who asks"),
          route("PUT", "/auth/v1/user", kUser, "Changes who asks", change),
          route("GET", "/auth/v1/sessions", kUser, "Where the user is signed in"),
          with_status(route("DELETE", "/auth/v1/sessions/{id}", kUser, "Ends a session"), 204),
          route("GET", "/api/keys", kUser, "The user's API keys"),
          with_status(route("POST", "/api/keys", kUser, "Makes an API key", key), 201),
          with_status(route("DELETE", "/api/keys/{id}", kUser, "Revokes an API key"), 204)};
}

Operations factors() {
  const std::string one = "/auth/v1/factors/{id}";
  const std::string codes = "/auth/v1/factors/recovery-codes";
  Entity made("");
  made.text("factor_type").required().one_of({"totp"}).text("friendly_name").text("issuer");
  Entity proof("");
  proof.uuid("challenge_id").required().text("code").required();
  Entity code("");
  code.text("code").required();
  Entity name("");
  name.text("friendly_name");
  return {route("POST", "/auth/v1/factors", kUser, "Begins a second factor", made),
          route("POST", one + "/challenge", kUser, "Asks for a code"),
          route("POST", one + "/verify", kUser, "Shows a code", proof),
          route("DELETE", one, kUser, "Ends a second factor"),
          route("GET", codes, kUser, "How many recovery codes are left"),
          route("POST", codes, kUser, "Makes recovery codes", name),
          route("POST", codes + "/regenerate", kUser, "Makes new recovery codes"),
          route("POST", codes + "/verify", kUser, "Uses a recovery code", code),
          route("DELETE", codes, kUser, "Ends the recovery codes")};
}

Operations admin() {
  const std::string users = "/auth/v1/admin/users";
  Entity page("");
  page.integer("page").integer("per_page");
  Entity link = address();
  link.text("type").required().one_of({"invite", "magiclink", "recovery"});
  return {
      with_query(route("GET", users, kService, "Every user"), page),
      route("POST", users, kService, "Makes a user", account()),
      route("GET", users + "/{id}", kService, "A user"),
      route("PUT", users + "/{id}", kService, "Changes a user", account()),
      route("DELETE", users + "/{id}", kService, "Deletes a user"),
      route("POST", "/auth/v1/invite", kService, "Mails an invitation", address()),
      route("POST", "/auth/v1/admin/generate_link", kService, "A link to hand over", link),
      route("POST", "/auth/v1/admin/sign_in_link", kService, "A link for the owner"),
      with_status(route("POST", "/auth/v1/admin/rotate_keys", kService, "A new signing key"), 202)};
}

Operations open() {
  return {route("GET", "/auth/v1/.well-known/jwks.json", kOpen, "The keys of our tokens"),
          route("GET", "/auth/v1/settings", kOpen, "How one may sign in"),
          route("GET", "/auth/v1/health", kOpen, "That we are here")};
}

}  // namespace

Domain identity_reference() {
  Domain domain{.name = "identity"};
  for (const auto part : {&login, &mailbox, &user, &factors, &admin, &open}) {
    for (Operation& operation : part())
      domain.operations.push_back(std::move(operation));
  }
  return domain;
}

}  // namespace qylon::api
