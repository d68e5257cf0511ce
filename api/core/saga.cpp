#include "api/core/saga.hpp"

#include <charconv>
#include <utility>

#include "api/core/job_store.hpp"
#include "core/check.hpp"

namespace qylon::api {
namespace {

using storage::Sql;
using storage::SqlValue;

constexpr int kUndoTriesMax = 100;

bool is_final(ErrorCode code) {
  return code == ErrorCode::kInvalidArgument || code == ErrorCode::kForbidden ||
         code == ErrorCode::kNotFound || code == ErrorCode::kConflict;
}

std::size_t number(const SqlValue& value) {
  std::size_t result = 0;
  if (value) std::from_chars(value->data(), value->data() + value->size(), result);
  return result;
}

Error fenced() {
  return {ErrorCode::kConflict, "the job is no longer this try's"};
}

/// Moves the saga and, unless it has ended, enqueues its next step.
void move_to(Sql& sql,
             const SagaView& saga,
             const std::string& state,
             std::size_t step,
             const SqlValue& error) {
  sql.run(
      "update sagas set state = $2, step = $3, error = coalesce($4, error),"
      " updated_at = clock_timestamp() where id = $1",
      {saga.id, state, std::to_string(step), error});
  if (state != "running" && state != "compensating") return;
  sql.rows(
      "select app.enqueue('saga.step', jsonb_build_object('saga', $1::uuid), $2::uuid,"
      " attempts_max => $3::integer)",
      {saga.id, saga.org.empty() ? SqlValue{} : SqlValue{saga.org}, std::to_string(kUndoTriesMax)});
}

}  // namespace

/// Where a saga stands, and what is to be done there.
struct Sagas::Position {
  SagaView saga;
  const std::vector<SagaStep>* steps;
  std::size_t index;
  bool undoing;

  const SagaStep& step() const { return (*steps)[index]; }
  const SagaCall& call() const { return undoing ? step().undo_call : step().call; }
};

std::string start_saga(Sql& sql,
                       const std::string& kind,
                       const std::string& data,
                       const std::string& org) {
  return sql
      .value("select app.start_saga($1, $2::jsonb, $3::uuid)",
             {kind, data, org.empty() ? SqlValue{} : SqlValue{org}})
      .value_or("");
}

void Sagas::add(const std::string& kind, std::vector<SagaStep> steps) {
  QYLON_CHECK(!steps.empty());
  kinds_[kind] = std::move(steps);
}

JobHandler Sagas::handler() const {
  return [this](const Job& job, const JobDone& done) { load(job, done); };
}

void Sagas::load(const Job& job, const JobDone& done) const {
  const bool taken = database_.submit([this, job, done](storage::Session& session) {
    Result<Position> position = Error{};
    const Status status = session.transact([&](pqxx::transaction_base& transaction) -> Status {
      Sql sql(transaction);
      position = find(sql, job);
      return position ? ok() : Status(position.error());
    });
    if (!status) return done({.status = status});
    act(job, done, *position);
  });
  if (!taken) done({.status = Error{ErrorCode::kOverloaded, "the database's queue is full"}});
}

Result<Sagas::Position> Sagas::find(Sql& sql, const Job& job) const {
  const auto rows = sql.rows(
      "select id, org_id, data, kind, state, step from sagas where id = ($1::jsonb ->> "
      "'saga')::uuid"
      " and state in ('running', 'compensating')",
      {job.payload});
  if (rows.empty()) return Error{ErrorCode::kNotFound, "there is no such saga that runs"};
  const auto& row = rows[0];
  const auto kind = kinds_.find(row[3].value_or(""));
  const std::size_t index = number(row[5]);
  if (kind == kinds_.end() || index >= kind->second.size())
    return Error{ErrorCode::kUnavailable, "this server does not know the saga's step"};
  const std::string id = row[0].value_or("");
  return Position{.saga = {.id = id,
                           .org = row[1].value_or(""),
                           .data = row[2].value_or("{}"),
                           .key = id + ":" + std::to_string(index),
                           .answer = {}},
                  .steps = &kind->second,
                  .index = index,
                  .undoing = row[4] == "compensating"};
}

void Sagas::act(const Job& job, const JobDone& done, const Position& position) const {
  if (!position.call()) return settle(job, done, position, std::string{});
  position.call()(position.saga, [this, job, done, position](const Result<std::string>& answer) {
    settle(job, done, position, answer);
  });
}

void Sagas::settle(const Job& job,
                   const JobDone& done,
                   const Position& position,
                   const Result<std::string>& answer) const {
  if (!answer) return give_up(job, done, position, answer.error());
  const auto body = [position, given = *answer](Sql& sql) -> Status {
    SagaView saga = position.saga;
    saga.answer = given;
    if (position.undoing) {
      if (position.step().undo) {
        const Status undone = position.step().undo(sql, saga);
        if (!undone) return undone;
      }
      const bool first = position.index == 0;
      move_to(sql, saga, first ? "undone" : "compensating", first ? 0 : position.index - 1, {});
      return ok();
    }
    if (position.step().run) {
      const auto data = position.step().run(sql, saga);
      if (!data) return data.error();
      sql.run("update sagas set data = $2::jsonb where id = $1", {saga.id, *data});
    }
    const bool last = position.index + 1 == position.steps->size();
    move_to(sql, saga, last ? "done" : "running", position.index + 1, {});
    return ok();
  };
  transact(job, done, body, [this, job, done, position](const Error& error) {
    give_up(job, done, position, error);
  });
}

/// After an error: the step again, or what was done is undone, or nothing helps any more.
void Sagas::give_up(const Job& job,
                    const JobDone& done,
                    const Position& position,
                    const Error& error) const {
  const bool last = position.undoing
                        ? job.key.attempt >= kUndoTriesMax
                        : is_final(error.code) || job.key.attempt >= position.step().tries_max;
  if (!last) {
    // An undo is tried again whatever the error: there is nothing else to do.
    const ErrorCode code = is_final(error.code) ? ErrorCode::kUnavailable : error.code;
    return done({.status = Error{code, error.message}});
  }
  const bool undo_this = !position.undoing && static_cast<bool>(position.step().call);
  const auto body = [position, error, undo_this](Sql& sql) {
    const std::string message = position.step().name + ": " + error.message;
    if (position.undoing) {
      move_to(sql, position.saga, "stuck", position.index, message);
    } else if (position.index == 0 && !undo_this) {
      move_to(sql, position.saga, "undone", 0, message);
    } else {
      move_to(sql,
              position.saga,
              "compensating",
              undo_this ? position.index : position.index - 1,
              message);
    }
    return ok();
  };
  transact(job, done, body, [done](const Error& failure) { done({.status = failure}); });
}

void Sagas::transact(const Job& job,
                     const JobDone& done,
                     std::function<Status(Sql&)> body,
                     std::function<void(const Error&)> failed) const {
  const auto work =
      [job, done, body = std::move(body), failed = std::move(failed)](storage::Session& session) {
        bool late = false;
        const Status status = session.transact([&](pqxx::transaction_base& transaction) -> Status {
          Sql sql(transaction);
          late = finish_jobs(sql, {job.key}) == 0;
          return late ? Status(fenced()) : body(sql);
        });
        if (status || late) {
          done({.status = status, .settled = static_cast<bool>(status)});
        } else {
          failed(status.error());
        }
      };
  if (!database_.submit(work))
    done({.status = Error{ErrorCode::kOverloaded, "the database's queue is full"}});
}

}  // namespace qylon::api
