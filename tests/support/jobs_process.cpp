// A server's runner of jobs in a process of its own, to be killed: jobs_process DATABASE_URL. It
// runs until it is killed.

#include <unistd.h>

#include "api/core/job_runner.hpp"
#include "storage/sql.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const qylon::SystemClock clock;
  const qylon::Log log(clock, qylon::LogLevel::kError);
  qylon::Counters counters;
  qylon::storage::Database::Options options;
  options.url = argv[1];
  const auto database = qylon::storage::Database::open(options, log, counters, clock);
  if (!database) return 1;
  qylon::api::JobRunner runner(
      {.lease_ms = 1500},
      {.database = **database, .clock = clock, .log = log, .counters = counters});
  runner.handle("test.count",
                qylon::api::in_transaction(
                    **database, [](qylon::storage::Sql& sql, const qylon::api::Job& job) {
                      sql.run("insert into counted values ($1)", {std::to_string(job.key.id)});
                      return qylon::ok();
                    }));
  runner.start();
  ::pause();
  return 0;
}
