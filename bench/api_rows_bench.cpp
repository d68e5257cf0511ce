// What row-level security costs a request, beside the same statement of a role that its policies
// let at every row and that names the organisation itself: CPU time of PostgreSQL's backend, taken
// in turns. And how many captions of ten words are stored a second. The database lies in
// QYLON_BENCH_DIR, or in the temporary directory. Exit status 1 when a target is missed.
//
//   api_rows_bench            all of it
//   api_rows_bench policies   row-level security only
//   api_rows_bench segments   captions only

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/core/crud_sql.hpp"
#include "api/domains/domains.hpp"
#include "bench/measure.hpp"
#include "storage/meeting_store.hpp"
#include "storage/sql.hpp"
#include "tests/support/private_database.hpp"

namespace qylon::api {
namespace {

using storage::Sql;

constexpr const char* kOrg = "aaaaaaaa-0000-4000-8000-000000000001";
constexpr const char* kUser = "aaaaaaaa-0000-4000-8000-000000000002";
constexpr int kRounds = 60;
constexpr double kPolicyRatioMax = 1.1;
constexpr double kSegmentsMin = 20'000;
constexpr int kSegments = 40'000;  // Of each size of batch.

std::filesystem::path bench_directory() {
  const char* chosen = std::getenv("QYLON_BENCH_DIR");
  return chosen == nullptr ? std::filesystem::temp_directory_path() : std::filesystem::path(chosen);
}

/// A migrated PostgreSQL and one connection to it.
class Rows {
 public:
  Rows() {
    QYLON_CHECK(database_.start({.url = {}, .connections = 1, .statement_timeout_ms = 60'000}));
    run(Principal::service(), [this](Sql& sql) {
      backend_ = std::atoi(sql.value("select pg_backend_pid()").value_or("0").c_str());
    });
  }
  /// A hundred organisations of a thousand clients each.
  void fill() {
    run(Principal::service(), [](Sql& sql) {
      sql.run("insert into orgs (id, name) values ($1, 'Home')", {kOrg});
      sql.run("insert into orgs (name) select 'Org ' || n from generate_series(1, 99) n");
      sql.run("insert into org_members (org_id, user_id, role) values ($1, $2, 'admin')",
              {kOrg, kUser});
      sql.run(
          "insert into clients (org_id, name, created_at)"
          " select o.id, 'Client ' || n, now() - n * interval '1 minute'"
          " from orgs o cross join generate_series(1, 1000) n");
    });
    QYLON_CHECK(database_.transact_as_owner([](pqxx::transaction_base& transaction) {
      Sql(transaction).run_script("analyze");
      return ok();
    }));
  }

  const test::PrivateDatabase& database() const { return database_; }
  void run(const Principal& principal, const std::function<void(Sql&)>& body) {
    QYLON_CHECK(database_.transact_as(principal, [&](pqxx::transaction_base& transaction) {
      Sql sql(transaction);
      body(sql);
      return ok();
    }));
  }
  /// CPU time of the connection's process.
  double backend_cpu_us() const { return bench::cpu_us_of(backend_); }

 private:
  test::PrivateDatabase database_{bench_directory()};
  pid_t backend_ = 0;
};

Principal member() {
  return {.role = "authenticated",
          .user = kUser,
          .claims = std::string(R"({"sub":")") + kUser + R"(","active_org":")" + kOrg + "\"}"};
}

/// `statement` with the organisation as one more condition on `t`.
Statement of_org(Statement statement) {
  statement.values.emplace_back(kOrg);
  const std::string condition = "t.org_id = $" + std::to_string(statement.values.size()) + "::uuid";
  const std::size_t where = statement.sql.find(" where ");
  if (where != std::string::npos) {
    statement.sql.insert(where + 7, condition + " and ");
  } else {
    statement.sql.insert(statement.sql.find(" order by "), " where " + condition);
  }
  return statement;
}

/// CPU time of the backend for one request.
double request_us(Rows& rows, const Principal& principal, const Statement& statement, int times) {
  const double before_us = rows.backend_cpu_us();
  for (int i = 0; i < times; ++i) {
    rows.run(principal, [&](Sql& sql) { sql.rows(statement.sql, statement.values); });
  }
  return (rows.backend_cpu_us() - before_us) / times;
}

bool policies_are_cheap(Rows& rows, const char* name, const Statement& statement, int times) {
  const Statement bare = of_org(statement);
  std::vector<double> bare_us;
  std::vector<double> with_us;
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    bare_us.push_back(request_us(rows, Principal::service(), bare, times));
    with_us.push_back(request_us(rows, member(), statement, times));
    ratios.push_back(with_us.back() / bare_us.back());
  }
  const double ratio = bench::median(ratios);
  std::printf(
      "%-12s %7.1f us bare, %7.1f us under the policies: %.3f times (quartiles %.3f, %.3f)\n",
      name,
      bench::median(bare_us),
      bench::median(with_us),
      ratio,
      bench::quantile(ratios, 0.25),
      bench::quantile(ratios, 0.75));
  return bench::verdict(ratio <= kPolicyRatioMax, name);
}

bool measure_policies(Rows& rows) {
  rows.fill();
  const Domain domain = clients_domain();
  const Entity& clients = domain.entities.front();
  std::string id;
  rows.run(Principal::service(), [&id](Sql& sql) {
    id = sql.value("select id from clients where org_id = $1 limit 1", {kOrg}).value_or("");
  });
  bool fine = policies_are_cheap(rows, "one row", get_statement(clients, id), 200);
  fine &= policies_are_cheap(rows, "50 rows", list_statement(clients, ListQuery{}), 50);
  // The policy's function runs once, its condition once a row.
  fine &= policies_are_cheap(
      rows,
      "scan of 1000",
      {"select count(*), max(t.name) from clients t where t.status = 'lead'", {}},
      50);
  return fine;
}

std::vector<CaptionPtr> finals(MeetingId meeting, std::uint64_t after, std::size_t count) {
  std::vector<CaptionPtr> batch;
  while (batch.size() < count) {
    auto caption = std::make_shared<Caption>();
    caption->meeting = meeting;
    caption->offset = ++after;
    caption->segment = after;
    caption->speaker.key = "t0";
    caption->text = "ten words that somebody said in a meeting last week";
    for (int word = 0; word < 10; ++word)
      caption->words.push_back({"word", word * 100, word * 100 + 90, 0.9F});
    batch.push_back(std::move(caption));
  }
  return batch;
}

/// What storing `batch_size` a transaction costs and takes; captions a second.
double segments_per_s(Rows& rows, std::size_t batch_size) {
  const auto made = rows.database().run<Result<MeetingInfo>>([](storage::Session& session) {
    return storage::create_meeting(session, {"Bench", {}});
  });
  QYLON_CHECK(made);
  std::vector<double> wall_us;
  std::vector<double> backend_us;
  const double ours_before_us = bench::process_cpu_us();
  for (std::uint64_t stored = 0; stored < kSegments; stored += batch_size) {
    const auto batch = finals(made->id, stored, batch_size);
    const double cpu_before_us = rows.backend_cpu_us();
    const std::int64_t started_us = rows.database().clock().monotonic_us();
    QYLON_CHECK(rows.database().run<Status>(
        [&batch](storage::Session& session) { return storage::append_captions(session, batch); }));
    wall_us.push_back(static_cast<double>(rows.database().clock().monotonic_us() - started_us));
    backend_us.push_back(rows.backend_cpu_us() - cpu_before_us);
  }
  const auto size = static_cast<double>(batch_size);
  const double rate = size / bench::median(wall_us) * 1e6;
  std::printf(
      "batches of %4zu: %6.0f captions/s (median batch %.1f ms); CPU time of a caption: PostgreSQL"
      " %.1f us, ours with making it up %.1f us\n",
      batch_size,
      rate,
      bench::median(wall_us) * 1e-3,
      bench::median(backend_us) / size,
      (bench::process_cpu_us() - ours_before_us) / kSegments);
  return rate;
}

bool measure_segments(Rows& rows) {
  segments_per_s(rows, 100);
  double best = segments_per_s(rows, 500);
  best = std::max(best, segments_per_s(rows, 2000));
  return bench::verdict(best >= kSegmentsMin, "20,000 segments a second");
}

}  // namespace
}  // namespace qylon::api

int main(int argc, char** argv) {
  const std::string_view part = argc > 1 ? argv[1] : "";
  qylon::api::Rows rows;
  bool fine = part == "segments" || qylon::api::measure_policies(rows);
  if (part != "policies") fine &= qylon::api::measure_segments(rows);
  return fine ? 0 : 1;
}
