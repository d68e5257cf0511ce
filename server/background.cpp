#include "server/background.hpp"

#include <utility>

#include "api/core/domain_jobs.hpp"
#include "api/domains/domains.hpp"
#include "api/files/files.hpp"
#include "server/secret_setting.hpp"
#include "server/settings.hpp"

namespace qylon::server {
namespace {

// What is cut off after the last signature is not found, so it is a matter of minutes.
constexpr const char* kCheckpoints = "*/15 * * * *";

Result<std::unique_ptr<api::LanguageModel>> make_language_model(const Settings& settings,
                                                                const Background::Parts& parts) {
  api::LanguageModel::Options options{.dialect = settings.llm_dialect,
                                      .base_url = settings.llm_base_url,
                                      .model = settings.llm_model,
                                      .timeout_ms = settings.llm_timeout_ms};
  if (!settings.llm_key_file.empty()) {
    auto key = read_secret_file(settings.llm_key_file, "llm-key-file");
    if (!key) return key.error();
    options.key = *std::move(key);
  }
  return api::LanguageModel::create(std::move(options), parts.clock, parts.counters);
}

}  // namespace

Result<std::unique_ptr<Background>> Background::start(const Settings& settings,
                                                      const Parts& parts) {
  const std::string& data_dir = settings.data_dir;
  auto masters = api::MasterKeys::open(data_dir);
  if (!masters) return masters.error();
  auto audit = api::AuditTrail::open(data_dir, *masters);
  if (!audit) return audit.error();
  std::string link_secret = masters->derive("file links");
  api::Vault vault(*std::move(masters));
  const Status checked =
      parts.database.transact_and_wait([&](storage::Sql& sql) { return vault.check(sql); });
  if (!checked) return checked.error();
  std::unique_ptr<Background> background(
      new Background(*std::move(audit), std::move(vault), std::move(link_secret), parts));
  background->jobs_.handle(
      "files.cleanup",
      api::in_transaction(
          parts.database,
          [store = api::FileStore(data_dir + "/files")](storage::Sql& sql, const api::Job&) {
            return api::FilesApi::drop_stale_uploads(sql, store);
          }));
  const Status scheduled = background->add_schedules();
  if (!scheduled) return scheduled.error();
  const Status added = background->add_domains(settings, parts);
  if (!added) return added.error();
  background->jobs_.start();
  background->events_.start();
  return background;
}

Status Background::add_domains(const Settings& settings, const Parts& parts) {
  const bool has_model = !settings.llm_base_url.empty();
  if (has_model) {
    auto model = make_language_model(settings, parts);
    if (!model) return model.error();
    model_insights_ =
        std::make_unique<api::ModelInsights>(*std::move(model), vault_, parts.database);
    jobs_.handle(std::string(api::kModelInsights), model_insights_->handler());
  }
  return api::add_domain_jobs(api::all_domains(has_model),
                              {.database = parts.database, .sagas = sagas_, .runner = jobs_});
}

Status Background::add_schedules() {
  const Status signing = jobs_.schedule(
      {.name = "audit.checkpoint", .cron = kCheckpoints, .kind = "audit.checkpoint"});
  if (!signing) return signing;
  return jobs_.schedule({.name = "files.cleanup", .cron = "17 * * * *", .kind = "files.cleanup"});
}

Background::Background(api::AuditTrail audit,
                       api::Vault vault,
                       std::string link_secret,
                       const Parts& parts)
    : audit_(std::move(audit)),
      vault_(std::move(vault)),
      link_secret_(std::move(link_secret)),
      sagas_(parts.database),
      jobs_({},
            {.database = parts.database,
             .clock = parts.clock,
             .log = parts.log,
             .counters = parts.counters}),
      events_({}, {.database = parts.database, .log = parts.log, .counters = parts.counters}, {}) {
  jobs_.handle(
      "audit.checkpoint",
      api::in_transaction(parts.database,
                          [this, &clock = parts.clock](storage::Sql& sql, const api::Job&) {
                            return audit_.checkpoint(sql, clock.wall_us() / 1'000'000);
                          }));
  events_.add(api::audit_of_events());
}

}  // namespace qylon::server
