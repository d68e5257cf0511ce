#include "api/credentials.hpp"

#include <utility>

#include "api/http_answers.hpp"

namespace qylon::api {
namespace {

using storage::Sql;

/// What a request is about, as far as its caller may manage it.
struct Asked {
  std::string org;
  storage::SqlValue secret;  ///< Of the body {"secret":"..."}.
};

Result<Asked> ask(storage::Session& session, const Call& call) {
  Asked asked;
  const Status status =
      session.transact_as(call.principal, [&](pqxx::transaction_base& transaction) -> Status {
        const std::string& body = call.request.body;
        const auto row = Sql(transaction)
                             .rows("select app.org_if('manage'), $1::jsonb ->> 'secret'",
                                   {body.empty() ? storage::SqlValue{} : storage::SqlValue{body}})
                             .at(0);
        if (!row[0])
          return Error{ErrorCode::kForbidden, "only who manages an organisation has credentials"};
        asked = {*row[0], row[1]};
        return ok();
      });
  if (!status) return status.error();
  return asked;
}

/// One statement about the organisation's credentials, as the server itself.
HttpResponse answer(storage::Session& session,
                    const std::string& statement,
                    const std::vector<storage::SqlValue>& values) {
  storage::SqlValue body;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) {
    body = Sql(transaction).value(statement, values);
    return ok();
  });
  if (!status) return problem(status.error());
  if (!body) return problem({ErrorCode::kNotFound, "there is no credential of this name"});
  return json_answer(200, *std::move(body));
}

HttpResponse list(const Vault&, storage::Session& session, const Call&, const Asked& asked) {
  return answer(session,
                "select jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object("
                "  'name', name, 'version', version, 'created_at', created_at,"
                "  'updated_at', updated_at) order by name), '[]'))::text"
                " from vault_secrets where org_id = $1::uuid",
                {asked.org});
}

HttpResponse store(const Vault& vault,
                   storage::Session& session,
                   const Call& call,
                   const Asked& asked) {
  if (!asked.secret)
    return problem({ErrorCode::kInvalidArgument, R"(the body must be {"secret":"..."})"});
  const std::string& name = call.captures.at(0);
  const Status stored = session.transact([&](pqxx::transaction_base& transaction) {
    Sql sql(transaction);
    return vault.put(sql, {asked.org, name}, *asked.secret);
  });
  if (!stored) return problem(stored.error());
  return answer(session,
                "select jsonb_build_object('name', name, 'version', version, 'created_at',"
                "  created_at, 'updated_at', updated_at)::text"
                " from vault_secrets where org_id = $1::uuid and name = $2",
                {asked.org, name});
}

HttpResponse remove(const Vault& vault,
                    storage::Session& session,
                    const Call& call,
                    const Asked& asked) {
  bool removed = false;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) {
    Sql sql(transaction);
    removed = vault.remove(sql, {asked.org, call.captures.at(0)});
    return ok();
  });
  if (!status) return problem(status.error());
  if (!removed) return problem({ErrorCode::kNotFound, "there is no credential of this name"});
  HttpResponse response;
  response.status = 204;
  return response;
}

}  // namespace

std::vector<Route> credential_routes(DatabaseJobs& jobs, const Vault& vault) {
  const auto route = [&jobs, &vault](auto handler) -> RouteHandler {
    return [&jobs, &vault, handler](const CallPtr& call, const HttpReply& reply) {
      const bool taken = jobs.submit([&vault, handler, call, reply](storage::Session& session) {
        const auto asked = ask(session, *call);
        reply(asked ? handler(vault, session, *call, *asked) : problem(asked.error()));
      });
      if (!taken)
        reply(problem({ErrorCode::kOverloaded, "the database has too much to do; try again"}));
    };
  };
  using enum Permission;
  return {{"GET", "/api/credentials", kManage, route(list)},
          {"PUT", "/api/credentials/{name...}", kManage, route(store)},
          {"DELETE", "/api/credentials/{name...}", kManage, route(remove)}};
}

}  // namespace qylon::api
