#include "api/core/crud.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "api/core/crud_sql.hpp"
#include "api/core/validate.hpp"
#include "api/http_answers.hpp"
#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "core/problem_json.hpp"
#include "storage/sql.hpp"
#include "storage/sql_array.hpp"

namespace qylon::api {
namespace {

using storage::SqlRow;
using storage::SqlValue;

HttpResponse invalid(std::vector<FieldProblem> problems) {
  return problem_answer({.status = 400,
                         .code = "validation_failed",
                         .detail = problems.front().pointer + " " + problems.front().detail,
                         .errors = std::move(problems)});
}

HttpResponse no_such_row(const Entity& entity) {
  return problem(Error{ErrorCode::kNotFound, "there is no such row of " + entity.name()});
}

/// A key that refers to nothing is the body's fault, not the path's.
HttpResponse write_problem(const Error& error) {
  if (error.code != ErrorCode::kNotFound) return problem(error);
  return problem(Error{ErrorCode::kInvalidArgument, "the body " + error.message});
}

HttpResponse empty_answer(int status) {
  HttpResponse response;
  response.status = status;
  response.content_type.clear();
  return response;
}

HttpResponse row_answer(int status, std::string row, const std::string& tag) {
  HttpResponse response = json_answer(status, std::move(row));
  response.headers.emplace_back("ETag", '"' + tag + '"');
  return response;
}

/// One statement as the caller.
Result<std::vector<SqlRow>> run(const Statement& statement,
                                const Call& call,
                                storage::Session& session) {
  std::vector<SqlRow> rows;
  const Status status =
      session.transact_as(call.principal, [&](pqxx::transaction_base& transaction) {
        rows = storage::Sql(transaction).rows(statement.sql, statement.values);
        return ok();
      });
  if (!status) return status.error();
  return rows;
}

/// The tags of a header such as If-Match as a PostgreSQL array; nothing when any is good. Weak ones
/// never match where strength is asked for.
/// Source: RFC 9110 sections 8.8.3 and 13.1.1.
SqlValue tags_of(std::string_view header, bool weak_too) {
  if (header.empty() || header == "*") return std::nullopt;
  storage::SqlArray tags;
  for (std::size_t open = header.find('"'); open != std::string_view::npos;
       open = header.find('"', open)) {
    const std::size_t close = header.find('"', open + 1);
    if (close == std::string_view::npos) break;
    const bool weak = header.substr(0, open).ends_with("W/");
    if (!weak || weak_too) tags.add(header.substr(open + 1, close - open - 1));
    open = close + 1;
  }
  return tags.str();
}

HttpResponse list(const Entity& entity, const Call& call, storage::Session& session) {
  const auto query = parse_list_query(entity, call.request.query);
  if (!query) return problem(query.error());
  const auto rows = run(list_statement(entity, *query), call, session);
  if (!rows) return problem(rows.error());
  const auto count = std::min(rows->size(), static_cast<std::size_t>(query->limit));
  std::string body = R"({"items":[)";
  for (std::size_t i = 0; i < count; ++i)
    body.append(i == 0 ? "" : ",").append((*rows)[i][0].value_or("null"));
  body += R"(],"next":)";
  if (rows->size() > count) {
    const SqlRow& last = (*rows)[count - 1];
    body += '"' + query->cursor(last[1].value_or(""), last[2].value_or("")) + '"';
  } else {
    body += "null";
  }
  return json_answer(200, body + "}");
}

HttpResponse get(const Entity& entity, const Call& call, storage::Session& session) {
  const auto rows = run(get_statement(entity, call.captures[0]), call, session);
  if (!rows) return problem(rows.error());
  if (rows->empty()) return no_such_row(entity);
  const std::string tag = rows->front()[1].value_or("");
  HttpResponse response = row_answer(200, rows->front()[0].value_or(""), tag);
  const std::string_view known = call.request.header("if-none-match");
  if (known.empty()) return response;
  const SqlValue tags = tags_of(known, true);
  if (!tags || tags->find('"' + tag + '"') != std::string::npos) {
    response.status = 304;
    response.body.clear();
  }
  return response;
}

HttpResponse create(const Entity& entity, const Call& call, storage::Session& session) {
  CheckedBody body = validate(entity.fields(), call.request.body, Completeness::kWhole);
  if (!body.problems.empty()) return invalid(std::move(body.problems));
  const auto rows = run(create_statement(entity, body.json, body.keys), call, session);
  if (!rows) return write_problem(rows.error());
  if (rows->empty()) return empty_answer(201);
  const SqlRow& row = rows->front();
  HttpResponse response = row_answer(201, row[0].value_or(""), row[1].value_or(""));
  response.headers.emplace_back("Location", entity.path() + "/" + row[2].value_or(""));
  return response;
}

/// Why a row that should change did not.
HttpResponse unchanged(const Entity& entity, const SqlRow& row, const SqlValue& tags) {
  if (!row[2]) return no_such_row(entity);
  if (tags && tags->find('"' + *row[2] + '"') == std::string::npos) {
    return problem_answer({.status = 412,
                           .code = "precondition_failed",
                           .detail = "the row has changed since; read it again"});
  }
  return problem(Error{ErrorCode::kForbidden, "your role may read this row and not change it"});
}

HttpResponse patch(const Entity& entity, const Call& call, storage::Session& session) {
  CheckedBody body = validate(entity.fields(), call.request.body, Completeness::kPart);
  if (body.problems.empty() && body.keys.empty())
    body.problems.push_back({"", "must have a member"});
  if (!body.problems.empty()) return invalid(std::move(body.problems));
  const SqlValue tags = tags_of(call.request.header("if-match"), false);
  const auto rows =
      run(patch_statement(entity, call.captures[0], body.json, body.keys, tags), call, session);
  if (!rows) return write_problem(rows.error());
  const SqlRow& row = rows->front();
  if (!row[0]) return unchanged(entity, row, tags);
  return row_answer(200, *row[0], row[1].value_or(""));
}

HttpResponse remove(const Entity& entity, const Call& call, storage::Session& session) {
  const SqlValue tags = tags_of(call.request.header("if-match"), false);
  const auto rows = run(delete_statement(entity, call.captures[0], tags), call, session);
  if (!rows) return problem(rows.error());
  if (!rows->front()[0]) return unchanged(entity, rows->front(), tags);
  return empty_answer(204);
}

/// What a GET answers, with a tag of what it says; 304 to who has that already. A row brings a tag
/// of its own. Source: RFC 9110 sections 8.8.3 and 13.1.2.
HttpResponse tagged(const Call& call, HttpResponse response) {
  const bool has_tag = std::any_of(response.headers.begin(),
                                   response.headers.end(),
                                   [](const auto& header) { return header.first == "ETag"; });
  if (call.request.method != "GET" || response.status != 200 || has_tag) return response;
  const std::string tag = '"' + hex(sha256(response.body).substr(0, 12)) + '"';
  const std::string_view known = call.request.header("if-none-match");
  if (known.find(tag) != std::string_view::npos) response = empty_answer(304);
  response.headers.emplace_back("ETag", tag);
  return response;
}

using Answer = std::function<HttpResponse(const Call& call, storage::Session& session)>;

/// A handler that answers on a database thread.
RouteHandler on_database(DatabaseJobs& jobs, Answer make_answer) {
  return [&jobs, make_answer = std::move(make_answer)](const CallPtr& call, HttpReply reply) {
    const bool taken = jobs.submit([call, reply, make_answer](storage::Session& session) {
      reply(tagged(*call, make_answer(*call, session)));
    });
    if (!taken)
      reply(problem(Error{ErrorCode::kOverloaded, "too many requests wait for the database"}));
  };
}

Route route_of(const Operation& operation, DatabaseJobs& jobs) {
  Route route{operation.method, operation.path, operation.permission, {}};
  route.handler = on_database(jobs,
                              [body = operation.body, handler = operation.handler](
                                  const Call& call, storage::Session& session) {
                                if (body.empty()) return handler(call, session);
                                CheckedBody checked =
                                    validate(body, call.request.body, Completeness::kWhole);
                                if (!checked.problems.empty())
                                  return invalid(std::move(checked.problems));
                                return handler(call, session);
                              });
  return route;
}

}  // namespace

std::vector<Verb> verbs_of(const Entity& entity) {
  if (entity.is_hidden()) return {};
  if (entity.is_written_by_server()) return {Verb::kList, Verb::kGet};
  switch (entity.scope()) {
    case Scope::kService:
      return {};
    case Scope::kPublicInsert:
      return {Verb::kCreate};
    case Scope::kAppend:
      return {Verb::kList, Verb::kCreate, Verb::kGet};
    case Scope::kTenant:
      return {Verb::kList, Verb::kGet, Verb::kPatch};
    case Scope::kOrganisation:
    case Scope::kOwner:
      break;
  }
  return {Verb::kList, Verb::kCreate, Verb::kGet, Verb::kPatch, Verb::kDelete};
}

Route route_of(const Entity& entity, Verb verb) {
  const std::string one = entity.path() + "/{id}";
  switch (verb) {
    case Verb::kList:
      return {"GET", entity.path(), Permission::kRead, {}};
    case Verb::kGet:
      return {"GET", one, Permission::kRead, {}};
    case Verb::kCreate:
      return {"POST",
              entity.path(),
              entity.scope() == Scope::kPublicInsert ? Permission::kAnyone : Permission::kUser,
              {}};
    case Verb::kPatch:
      return {"PATCH", one, Permission::kUser, {}};
    case Verb::kDelete:
      return {"DELETE", one, Permission::kUser, {}};
  }
  return {};
}

HttpResponse answer(const Entity& entity, Verb verb, const Call& call, storage::Session& session) {
  const bool of_one_row = verb != Verb::kList && verb != Verb::kCreate;
  if (of_one_row && !is_uuid(call.captures.at(0))) return no_such_row(entity);
  switch (verb) {
    case Verb::kList:
      return list(entity, call, session);
    case Verb::kGet:
      return get(entity, call, session);
    case Verb::kCreate:
      return create(entity, call, session);
    case Verb::kPatch:
      return patch(entity, call, session);
    case Verb::kDelete:
      return remove(entity, call, session);
  }
  return {};
}

std::vector<Route> domain_routes(std::span<const Domain> domains, DatabaseJobs& jobs) {
  std::vector<Route> routes;
  for (const Domain& domain : domains) {
    for (const Entity& declared : domain.entities) {
      const auto entity = std::make_shared<const Entity>(declared);
      for (const Verb verb : verbs_of(*entity)) {
        Route route = route_of(*entity, verb);
        route.handler =
            on_database(jobs, [entity, verb](const Call& call, storage::Session& session) {
              return answer(*entity, verb, call, session);
            });
        routes.push_back(std::move(route));
      }
    }
    for (const Operation& operation : domain.operations)
      routes.push_back(route_of(operation, jobs));
  }
  return routes;
}

}  // namespace qylon::api
