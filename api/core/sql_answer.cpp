#include "api/core/sql_answer.hpp"

#include <utility>

#include "api/core/validate.hpp"
#include "api/http_answers.hpp"

namespace qylon::api {

HttpResponse sql_answer(const Call& call,
                        storage::Session& session,
                        const Statement& statement,
                        const std::string& missing,
                        int status) {
  storage::SqlValue body;
  const Status ran = session.transact_as(call.principal, [&](pqxx::transaction_base& transaction) {
    body = storage::Sql(transaction).value(statement.sql, statement.values);
    return ok();
  });
  if (!ran && ran.error().code == ErrorCode::kNotFound)
    return problem({ErrorCode::kInvalidArgument, "the body " + ran.error().message});
  if (!ran) return problem(ran.error());
  if (!body) return problem({ErrorCode::kNotFound, missing});
  return json_answer(status, *std::move(body));
}

HttpResponse sql_answer_about(const Call& call,
                              storage::Session& session,
                              const std::string& entity,
                              Statement statement,
                              int status) {
  const std::string missing = "there is no such row of " + entity;
  if (!is_uuid(call.captures.at(0))) return problem({ErrorCode::kNotFound, missing});
  statement.values.insert(statement.values.begin(), call.captures[0]);
  return sql_answer(call, session, statement, missing, status);
}

}  // namespace qylon::api
