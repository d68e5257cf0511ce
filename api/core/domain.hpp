#pragma once
/// A domain is one file of five blocks: entities, routes, events, jobs, handlers.

#include <functional>
#include <string>
#include <vector>

#include "api/core/call.hpp"
#include "api/core/entity.hpp"
#include "api/core/job.hpp"
#include "api/core/route_table.hpp"
#include "api/core/saga.hpp"
#include "core/http.hpp"
#include "storage/database.hpp"

namespace qylon::api {

/// A route beside those that entities bring.
struct Operation {
  std::string method;
  std::string path;     ///< As Route::pattern.
  std::string summary;  ///< One sentence for the reference.
  Permission permission = Permission::kUser;
  std::vector<Field> query = {};  ///< Described; the handler reads them.
  std::vector<Field> body = {};   ///< Not empty: a body that does not hold them is refused.
  std::string returns = {};       ///< Entity of the answer; empty: any JSON, or none with 204.
  int status = 200;
  std::vector<int> refusals = {};  ///< Statuses of problems beside those that every route may have.
  /// Runs on a database thread, after the body was checked.
  std::function<HttpResponse(const Call& call, storage::Session& session)> handler = {};
};

/// Work that is done later, as the server itself; its rows and its end are one transaction.
struct JobKind {
  std::string kind;  ///< As NewJob::kind.
  std::function<Status(storage::Sql&, const Job&)> run;
  std::string cron = {};  ///< Not empty: the clock starts it too, see api/core/cron.hpp.
};

/// See api/core/saga.hpp.
struct SagaKind {
  std::string kind;
  std::vector<SagaStep> steps;
};

struct Domain {
  std::string name;
  std::vector<Entity> entities = {};
  std::vector<Operation> operations = {};
  std::vector<std::string> events = {};  ///< Beside those that entities emit.
  std::vector<JobKind> jobs = {};
  std::vector<SagaKind> sagas = {};
};

}  // namespace qylon::api
