#include "api/core/domain_jobs.hpp"

#include <string>
#include <utility>
#include <vector>

namespace qylon::api {
namespace {

constexpr const char* kRollMonths = "months.roll";

/// (table, days) of what is partitioned.
std::vector<std::pair<std::string, int>> monthly_tables(std::span<const Domain> domains) {
  std::vector<std::pair<std::string, int>> tables;
  for (const Domain& domain : domains) {
    for (const Entity& entity : domain.entities) {
      if (entity.is_monthly()) tables.emplace_back(entity.name(), entity.keep_days());
    }
  }
  return tables;
}

}  // namespace

Status add_domain_jobs(std::span<const Domain> domains, const DomainJobParts& parts) {
  std::vector<JobKind> kinds;
  for (const Domain& domain : domains) {
    kinds.insert(kinds.end(), domain.jobs.begin(), domain.jobs.end());
    for (const SagaKind& saga : domain.sagas)
      parts.sagas.add(saga.kind, saga.steps);
  }
  const auto roll = [tables = monthly_tables(domains)](storage::Sql& sql, const Job&) {
    for (const auto& [table, days] : tables)
      sql.rows("select app.roll_months($1::regclass, $2::integer)", {table, std::to_string(days)});
    return ok();
  };
  kinds.push_back({.kind = kRollMonths, .run = roll, .cron = "17 3 * * *"});
  for (JobKind& kind : kinds) {
    parts.runner.handle(kind.kind, in_transaction(parts.database, std::move(kind.run)));
    if (kind.cron.empty()) continue;
    const Status scheduled =
        parts.runner.schedule({.name = kind.kind, .cron = kind.cron, .kind = kind.kind});
    if (!scheduled) return scheduled;
  }
  parts.runner.handle("saga.step", parts.sagas.handler());
  return ok();
}

}  // namespace qylon::api
