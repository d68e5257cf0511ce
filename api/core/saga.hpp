#pragma once
/// Work in steps that cannot be one transaction, undone in reverse when a later step cannot be
/// done.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/core/job.hpp"
#include "storage/database.hpp"
#include "storage/sql.hpp"

namespace qylon::api {

/// A saga as its steps see it.
struct SagaView {
  std::string id;    ///< UUID.
  std::string org;   ///< UUID, or empty.
  std::string data;  ///< JSON, as the step before left it.
  /// "<id>:<step>": the Idempotency-Key of what a step calls; the same over tries.
  std::string key;
  std::string answer;  ///< What `call` or `undo_call` returned.
};

/// Called once, from any thread.
using SagaAnswer = std::function<void(Result<std::string>)>;
using SagaCall = std::function<void(const SagaView&, SagaAnswer)>;

/// One step. `call` and `undo_call` go outside, without blocking, at least once; `run` and `undo`
/// are rows, in the transaction that moves the saga on, once. Each may be missing.
struct SagaStep {
  std::string name;
  SagaCall call{};
  /// Returns the saga's new data, a JSON object.
  std::function<Result<std::string>(storage::Sql&, const SagaView&)> run{};
  /// Also asked when `call` failed and may still have had its effect.
  SagaCall undo_call{};
  std::function<Status(storage::Sql&, const SagaView&)> undo{};
  int tries_max = 5;  ///< Then what was done is undone. Errors that cannot pass undo at once.
};

/// Begins a saga in the caller's transaction; returns its id.
std::string start_saga(storage::Sql& sql,
                       const std::string& kind,
                       const std::string& data,
                       const std::string& org);

/// The kinds of sagas, and the handler of job `saga.step` that drives them. A step that is lost
/// with its process is tried again by another one; the state is in table `sagas`, every change of
/// it an event. An undo is tried a hundred times, then the saga is `stuck`: somebody must look.
///
/// Threads: add() before the first job; then any.
class Sagas {
 public:
  explicit Sagas(storage::Database& database) : database_(database) {}

  void add(const std::string& kind, std::vector<SagaStep> steps);
  /// REQUIRES: the object outlives the runner that has the handler.
  JobHandler handler() const;

 private:
  struct Position;

  void load(const Job& job, const JobDone& done) const;
  Result<Position> find(storage::Sql& sql, const Job& job) const;
  void act(const Job& job, const JobDone& done, const Position& position) const;
  void settle(const Job& job,
              const JobDone& done,
              const Position& position,
              const Result<std::string>& answer) const;
  void give_up(const Job& job,
               const JobDone& done,
               const Position& position,
               const Error& error) const;
  /// One transaction that ends the job and does `body`; then `done`, or `failed`.
  void transact(const Job& job,
                const JobDone& done,
                std::function<Status(storage::Sql&)> body,
                std::function<void(const Error&)> failed) const;

  storage::Database& database_;
  std::map<std::string, std::vector<SagaStep>> kinds_;
};

}  // namespace qylon::api
