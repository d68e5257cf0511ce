#include "server/identity_parts.hpp"

#include "api/compat/supabase_auth.hpp"
#include "api/identity/identity_key.hpp"
#include "api/identity/jwks_json.hpp"
#include "api/identity/owner.hpp"
#include "server/secret_setting.hpp"
#include "storage/sql.hpp"

namespace qylon::server {
namespace {

/// Where people reach this server, without a slash at the end.
std::string site_url(const Settings& settings) {
  std::string url = settings.site_url;
  if (url.empty()) {
    url = (settings.tls_certificate.empty() ? "http://" : "https://") + settings.listen;
  }
  while (url.ends_with('/'))
    url.pop_back();
  return url;
}

Result<api::JwtIssuers> foreign_issuers(const Settings& settings) {
  api::JwtIssuers issuers;
  if (settings.trusted_issuer.empty()) return issuers;
  auto& issuer = issuers[settings.trusted_issuer];
  if (!settings.trusted_secret_file.empty()) {
    const auto secret = read_secret_file(settings.trusted_secret_file, "trusted-secret-file");
    if (!secret) return secret.error();
    auto key = api::JwtKey::hs256(*secret);
    if (!key) return Error{key.error().code, "trusted-secret-file: " + key.error().message};
    issuer.keys.emplace("", *std::move(key));
  }
  if (!settings.trusted_jwks_file.empty()) {
    const auto text = read_secret_file(settings.trusted_jwks_file, "trusted-jwks-file");
    if (!text) return text.error();
    auto keys = api::parse_jwks(*text);
    if (!keys) return Error{keys.error().code, "trusted-jwks-file: " + keys.error().message};
    issuer.keys.merge(*keys);
  }
  return issuers;
}

Status check_jwks_url(const Settings& settings) {
  if (settings.trusted_jwks_url.empty()) return ok();
  if (settings.trusted_issuer.empty() || settings.trusted_issuer == site_url(settings) + "/auth/v1")
    return Error{ErrorCode::kInvalidArgument,
                 "trusted-jwks-url wants a trusted-issuer that is not this server"};
  const auto target = api::parse_outbound_url(settings.trusted_jwks_url);
  if (!target) return Error{target.error().code, "trusted-jwks-url: " + target.error().message};
  return ok();
}

Result<std::unique_ptr<api::Mailer>> make_mailer(const Settings& settings,
                                                 const IdentityParts::Deps& deps) {
  if (settings.smtp_url.empty()) return std::unique_ptr<api::Mailer>();
  api::Mailer::Options options;
  options.url = settings.smtp_url;
  options.user = settings.smtp_user;
  options.from = settings.mail_from;
  if (!settings.smtp_password_file.empty()) {
    auto password = read_secret_file(settings.smtp_password_file, "smtp-password-file");
    if (!password) return password.error();
    options.password = *std::move(password);
  }
  return api::Mailer::create(std::move(options), {deps.log, deps.counters, deps.clock});
}

}  // namespace

Result<std::unique_ptr<IdentityParts>> IdentityParts::create(const Settings& settings,
                                                             const Deps& deps) {
  const auto token = api::load_or_create_token(settings.data_dir);
  if (!token) return token.error();
  const auto masters = api::MasterKeys::open(settings.data_dir);
  if (!masters) return masters.error();
  const auto key = api::load_or_create_identity_key(settings.data_dir, *masters);
  if (!key) return key.error();
  auto foreign = foreign_issuers(settings);
  if (!foreign) return foreign.error();
  const Status fetchable = check_jwks_url(settings);
  if (!fetchable) return fetchable.error();
  auto mailer = make_mailer(settings, deps);
  if (!mailer) return mailer.error();

  api::Identity::Options options;
  options.keys.issuer = site_url(settings) + "/auth/v1";
  options.keys.foreign = *std::move(foreign);
  auto identity = api::Identity::create(options, *key, {deps.database, deps.log, deps.clock});
  if (!identity) return identity.error();

  std::unique_ptr<IdentityParts> parts(new IdentityParts);
  parts->identity_ = *std::move(identity);
  parts->mailer_ = *std::move(mailer);
  if (!settings.trusted_jwks_url.empty()) {
    parts->foreign_keys_ = std::make_unique<api::ForeignKeys>(
        api::ForeignKeys::Options{settings.trusted_issuer, settings.trusted_jwks_url},
        api::ForeignKeys::Parts{parts->identity_->keys(), deps.clock, deps.log, deps.counters});
  }
  parts->token_ = std::make_unique<api::TokenAccess>(*token);
  parts->access_ = std::make_unique<api::IdentityAccess>(api::IdentityAccess::Parts{
      *parts->token_, *parts->identity_, deps.clock, parts->foreign_keys_.get()});
  parts->auth_ = std::make_unique<api::AuthContext>(
      api::AuthContext::Options{.site_url = site_url(settings),
                                .redirects = split_commas(settings.auth_redirects),
                                .sign_up = settings.sign_up},
      api::AuthContext::Parts{
          deps.database, *parts->identity_, parts->mailer_.get(), deps.counters, deps.clock});
  const Status made = deps.database.transact_and_wait([&](storage::Sql& sql) {
    parts->is_new_ = api::make_first_user(sql, api::Moment::now(deps.clock));
    return ok();
  });
  if (!made) return made.error();
  return parts;
}

std::vector<api::Route> IdentityParts::routes() {
  return api::supabase_auth_routes(*auth_);
}

}  // namespace qylon::server
