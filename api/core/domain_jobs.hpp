#pragma once
/// What the domains do later.

#include <span>

#include "api/core/domain.hpp"
#include "api/core/job_runner.hpp"
#include "api/core/saga.hpp"
#include "core/result.hpp"
#include "storage/database.hpp"

namespace qylon::api {

struct DomainJobParts {
  storage::Database& database;
  Sagas& sagas;
  JobRunner& runner;
};

/// Gives the runner the handlers and schedules of the domains' jobs, and the sagas their steps. Of
/// monthly entities the months are made ahead, and dropped, every night.
/// REQUIRES: the runner has not started. Errors: kInvalidArgument for a schedule.
Status add_domain_jobs(std::span<const Domain> domains, const DomainJobParts& parts);

}  // namespace qylon::api
