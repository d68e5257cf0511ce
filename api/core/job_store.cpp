#include "api/core/job_store.hpp"

#include <algorithm>
#include <charconv>

#include "api/core/cron.hpp"
#include "storage/sql_array.hpp"

namespace qylon::api {
namespace {

using storage::Sql;
using storage::SqlArray;
using storage::SqlRow;
using storage::SqlValue;

constexpr std::size_t kErrorBytesMax = 2000;
constexpr const char* kPromotedMax = "1000";

SqlValue or_null(const std::string& text) {
  return text.empty() ? SqlValue{} : SqlValue{text};
}

/// A number that PostgreSQL wrote.
std::int64_t number(const SqlValue& value) {
  std::int64_t result = 0;
  if (value) std::from_chars(value->data(), value->data() + value->size(), result);
  return result;
}

struct TryArrays {
  std::string ids;
  std::string attempts;
};
TryArrays arrays_of(const std::vector<JobTry>& tries) {
  SqlArray ids;
  SqlArray attempts;
  for (const JobTry& one : tries) {
    ids.add(one.id);
    attempts.add(one.attempt);
  }
  return {ids.str(), attempts.str()};
}

JobTry try_of(const SqlRow& row) {
  return {number(row[0]), static_cast<int>(number(row[1]))};
}

Job job_of(const SqlRow& row) {
  return {.key = try_of(row),
          .attempts_max = static_cast<int>(number(row[2])),
          .kind = row[3].value_or(""),
          .org = row[4].value_or(""),
          .payload = row[5].value_or("{}"),
          .lag_ms = std::max<std::int64_t>(0, number(row[6])),
          .stop = {}};
}

}  // namespace

std::int64_t enqueue(Sql& sql, const NewJob& job) {
  const SqlValue run_at = job.run_at_ms ? SqlValue{std::to_string(*job.run_at_ms)} : SqlValue{};
  return number(
      sql.value("select app.enqueue($1, $2::jsonb, $3::uuid, $4::integer,"
                " to_timestamp($5::bigint / 1000.0), $6, $7::integer)",
                {job.kind,
                 job.payload,
                 or_null(job.org),
                 std::to_string(job.priority),
                 run_at,
                 or_null(job.dedupe),
                 std::to_string(job.attempts_max)}));
}

std::vector<Job> claim_jobs(Sql& sql, const ClaimRequest& request) {
  sql.run(
      "update jobs set state = 'pending' where id in (select id from jobs where state = 'scheduled'"
      " and run_at <= clock_timestamp() order by run_at limit $1 for update skip locked)",
      {kPromotedMax});
  SqlArray kinds;
  for (const std::string& kind : request.kinds)
    kinds.add(std::string_view(kind));
  const auto rows = sql.rows(
      "with due as (select id from jobs where state = 'pending' and kind = any ($1::text[])"
      " order by priority desc, run_at, id limit $2 for update skip locked),"
      " claimed as (update jobs j set state = 'processing', attempt = attempt + 1,"
      " lease_until = clock_timestamp() + $3::bigint * interval '1 ms',"
      " updated_at = clock_timestamp() from due where j.id = due.id"
      " returning j.id, j.attempt, j.attempts_max, j.kind, j.org_id, j.payload, j.priority, "
      "j.run_at)"
      " select id, attempt, attempts_max, kind, org_id, payload,"
      " (extract(epoch from clock_timestamp() - run_at) * 1000)::bigint"
      " from claimed order by priority desc, run_at, id",
      {kinds.str(), std::to_string(request.count), std::to_string(request.lease_ms)});
  std::vector<Job> jobs;
  jobs.reserve(rows.size());
  for (const SqlRow& row : rows)
    jobs.push_back(job_of(row));
  return jobs;
}

std::size_t finish_jobs(Sql& sql, const std::vector<JobTry>& tries) {
  const TryArrays arrays = arrays_of(tries);
  return sql.run(
      "delete from jobs j using unnest($1::bigint[], $2::integer[]) as t (id, attempt)"
      " where j.id = t.id and j.attempt = t.attempt and j.state = 'processing'",
      {arrays.ids, arrays.attempts});
}

std::size_t fail_jobs(Sql& sql, const std::vector<FailedTry>& tries) {
  std::vector<JobTry> keys;
  SqlArray errors;
  SqlArray dead;
  SqlArray waits;
  for (const FailedTry& failed : tries) {
    keys.push_back(failed.key);
    errors.add(std::string_view(failed.error).substr(0, kErrorBytesMax));
    dead.add(failed.dead ? 1 : 0);
    waits.add(failed.wait_ms);
  }
  const TryArrays arrays = arrays_of(keys);
  return sql.run(
      "update jobs j set lease_until = null, last_error = t.error, updated_at = clock_timestamp(),"
      " state = case when t.dead = 1 or j.attempt >= j.attempts_max then 'dead_letter'"
      " else 'scheduled' end,"
      " run_at = clock_timestamp() + t.wait * interval '1 ms'"
      " from unnest($1::bigint[], $2::integer[], $3::text[], $4::integer[], $5::bigint[])"
      " as t (id, attempt, error, dead, wait)"
      " where j.id = t.id and j.attempt = t.attempt and j.state = 'processing'",
      {arrays.ids, arrays.attempts, errors.str(), dead.str(), waits.str()});
}

std::vector<JobTry> extend_leases(Sql& sql,
                                  const std::vector<JobTry>& tries,
                                  std::int64_t lease_ms) {
  const TryArrays arrays = arrays_of(tries);
  const auto rows = sql.rows(
      "update jobs j set lease_until = clock_timestamp() + $3::bigint * interval '1 ms'"
      " from unnest($1::bigint[], $2::integer[]) as t (id, attempt)"
      " where j.id = t.id and j.attempt = t.attempt and j.state = 'processing'"
      " returning j.id, j.attempt",
      {arrays.ids, arrays.attempts, std::to_string(lease_ms)});
  std::vector<JobTry> held;
  std::transform(rows.begin(), rows.end(), std::back_inserter(held), try_of);
  return held;
}

std::size_t release_jobs(Sql& sql, const std::vector<JobTry>& tries) {
  const TryArrays arrays = arrays_of(tries);
  return sql.run(
      "update jobs j set state = 'pending', lease_until = null,"
      " attempts_max = attempts_max + 1"
      " from unnest($1::bigint[], $2::integer[]) as t (id, attempt)"
      " where j.id = t.id and j.attempt = t.attempt and j.state = 'processing'",
      {arrays.ids, arrays.attempts});
}

std::size_t reap_jobs(Sql& sql) {
  return sql.run(
      "update jobs set lease_until = null, last_error = 'its runner gave no sign of life',"
      " state = case when attempt >= attempts_max then 'dead_letter' else 'pending' end,"
      " updated_at = clock_timestamp() where id in (select id from jobs where state = 'processing'"
      " and lease_until < clock_timestamp() order by lease_until limit 1000"
      " for update skip locked)");
}

bool cancel_job(Sql& sql, std::int64_t id) {
  return sql.run(
             "update jobs set state = 'cancelled', lease_until = null,"
             " updated_at = clock_timestamp()"
             " where id = $1 and state in ('pending', 'scheduled', 'processing')",
             {std::to_string(id)}) == 1;
}

bool requeue_job(Sql& sql, std::int64_t id) {
  return sql.run(
             "update jobs set state = 'pending', attempts_max = attempt + 10,"
             " run_at = clock_timestamp(), updated_at = clock_timestamp()"
             " where id = $1 and state = 'dead_letter'",
             {std::to_string(id)}) == 1;
}

std::size_t drop_ended_jobs(Sql& sql) {
  return sql.run(
      "delete from jobs where state in ('dead_letter', 'cancelled') and updated_at <"
      " now() - case state when 'cancelled' then interval '1 day' else interval '30 days' end");
}

QueueSample sample_queue(Sql& sql, std::int64_t depth_max) {
  QueueSample sample;
  for (const SqlRow& row :
       sql.rows("select state, count(*),"
                " (extract(epoch from clock_timestamp() - min(run_at)) * 1000)::bigint"
                " from jobs group by state")) {
    const auto* const state = std::find(kJobStates.begin(), kJobStates.end(), row[0].value_or(""));
    if (state == kJobStates.end()) continue;
    sample.depth[static_cast<std::size_t>(state - kJobStates.begin())] = number(row[1]);
    if (*state == "pending") sample.lag_ms = std::max<std::int64_t>(0, number(row[2]));
  }
  const std::int64_t waiting = sample.depth[0] + sample.depth[1];
  sql.run("update job_gate set closed = $1::boolean where closed is distinct from $1::boolean",
          {waiting > depth_max ? "true" : "false"});
  return sample;
}

Status put_schedule(Sql& sql, const NewSchedule& schedule) {
  const auto cron = Cron::parse(schedule.cron);
  if (!cron) return cron.error();
  const auto next = cron->next_after(number(sql.value("select floor(extract(epoch from now()))")));
  if (!next)
    return Error{ErrorCode::kInvalidArgument, "the schedule " + schedule.cron + " never comes"};
  sql.run(
      "insert into job_schedules (name, kind, cron, payload, next_at)"
      " values ($1, $2, $3, $4::jsonb, to_timestamp($5::bigint))"
      " on conflict (name) do update set kind = excluded.kind, payload = excluded.payload,"
      " next_at = case when job_schedules.cron = excluded.cron then job_schedules.next_at"
      " else excluded.next_at end,"
      " cron = excluded.cron, updated_at = clock_timestamp()",
      {schedule.name, schedule.kind, schedule.cron, schedule.payload, std::to_string(*next)});
  return ok();
}

std::size_t run_schedules(Sql& sql) {
  const auto due = sql.rows(
      "select name, cron, kind, payload, floor(extract(epoch from now())),"
      " floor(extract(epoch from next_at)) from job_schedules"
      " where next_at <= now() order by next_at limit 100 for update skip locked");
  for (const SqlRow& row : due) {
    const auto cron = Cron::parse(row[1].value_or(""));
    const auto next = cron ? cron->next_after(number(row[4])) : std::nullopt;
    sql.run(
        "update job_schedules set next_at = coalesce(to_timestamp($2::bigint), 'infinity')"
        " where name = $1",
        {row[0], next ? SqlValue{std::to_string(*next)} : SqlValue{}});
    enqueue(sql,
            {.kind = row[2].value_or(""),
             .payload = row[3].value_or("{}"),
             .dedupe = "schedule:" + row[0].value_or("")});
  }
  return due.size();
}

}  // namespace qylon::api
