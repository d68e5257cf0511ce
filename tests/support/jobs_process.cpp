// A server's runner of jobs in a process of its own, to be killed: jobs_process DATABASE_URL. It
// runs until it is killed.

#include <unistd.h>

#include "api/core/job_runner.hpp"
#include "api/core/saga.hpp"
#include "storage/sql.hpp"

namespace {

using qylon::Result;
using qylon::Status;
using qylon::api::SagaAnswer;
using qylon::api::SagaStep;
using qylon::api::SagaView;
using qylon::storage::Sql;

/// Writes down that it was done, and that it was undone.
SagaStep noted(const std::string& name) {
  SagaStep step;
  step.name = name;
  step.run = [name](Sql& sql, const SagaView& saga) -> Result<std::string> {
    sql.run("insert into trail (saga, what) values ($1, $2)", {saga.id, name});
    return saga.data;
  };
  step.undo = [name](Sql& sql, const SagaView& saga) {
    sql.run("insert into trail (saga, what) values ($1, $2)", {saga.id, "undo " + name});
    return qylon::ok();
  };
  return step;
}

std::vector<SagaStep> steps(bool hang) {
  std::vector<SagaStep> steps{noted("one"), noted("two"), noted("three"), noted("four")};
  steps[1].call = [hang](const SagaView&, const SagaAnswer& answer) {
    if (!hang) answer(std::string("{}"));
  };
  steps[3].run = [](Sql&, const SagaView& saga) -> Result<std::string> {
    if (saga.data.find("good") != std::string::npos) return saga.data;
    return qylon::Error{qylon::ErrorCode::kInvalidArgument, "refused"};
  };
  return steps;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const bool hang = argc > 2 && std::string_view(argv[2]) == "hang";
  const qylon::SystemClock clock;
  const qylon::Log log(clock, qylon::LogLevel::kError);
  qylon::Counters counters;
  qylon::storage::Database::Options options;
  options.url = argv[1];
  const auto database = qylon::storage::Database::open(options, log, counters, clock);
  if (!database) return 1;
  qylon::api::Sagas sagas(**database);
  sagas.add("test.steps", steps(hang));
  qylon::api::JobRunner runner(
      {.lease_ms = 1500},
      {.database = **database, .clock = clock, .log = log, .counters = counters});
  runner.handle("test.count",
                qylon::api::in_transaction(
                    **database, [](qylon::storage::Sql& sql, const qylon::api::Job& job) {
                      sql.run("insert into counted values ($1)", {std::to_string(job.key.id)});
                      return qylon::ok();
                    }));
  runner.handle("saga.step", sagas.handler());
  runner.start();
  ::pause();
  return 0;
}
