// What row-level security costs a request, beside the same statements of a role that its policies
// let at every row and that names the organisation itself; and how many captions a second are
// stored. The database lies in QYLON_BENCH_DIR, or in the temporary directory.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "api/core/crud_sql.hpp"
#include "api/domains/domains.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "storage/database.hpp"
#include "storage/meeting_store.hpp"
#include "storage/migrations.hpp"
#include "storage/private_cluster.hpp"
#include "storage/sql.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::api {
namespace {

using storage::Sql;

constexpr const char* kOrg = "aaaaaaaa-0000-4000-8000-000000000001";
constexpr const char* kUser = "aaaaaaaa-0000-4000-8000-000000000002";

std::filesystem::path bench_directory() {
  const char* chosen = std::getenv("QYLON_BENCH_DIR");
  return chosen == nullptr ? std::filesystem::temp_directory_path() : std::filesystem::path(chosen);
}

/// A hundred organisations of a thousand clients each, and one connection.
class Rows {
 public:
  Rows() {
    cluster_ = storage::PrivateCluster::start({.data_dir = directory_.path(), .bin_dir = {}}, log_)
                   .value();
    QYLON_CHECK(storage::migrate(cluster_->owner_url(), log_));
    storage::Database::Options options;
    options.url = cluster_->url();
    options.connections = 1;
    options.statement_timeout_ms = 60'000;
    pool_ = storage::Database::open(options, log_, counters_, clock_).value();
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
  }

  void run(const Principal& principal, const std::function<void(Sql&)>& body) {
    session([&](storage::Session& session) {
      return session.transact_as(principal, [&](pqxx::transaction_base& transaction) {
        Sql sql(transaction);
        body(sql);
        return ok();
      });
    });
  }
  void session(const std::function<Status(storage::Session&)>& job) {
    std::promise<Status> done;
    QYLON_CHECK(pool_->submit([&](storage::Session& session) { done.set_value(job(session)); }));
    const Status status = done.get_future().get();
    QYLON_CHECK(status);
  }

 private:
  test::TemporaryDirectory directory_{bench_directory()};
  SystemClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  std::unique_ptr<storage::PrivateCluster> cluster_;
  std::unique_ptr<storage::Database> pool_;
};

Rows& rows() {
  static Rows rows;
  return rows;
}

const Entity& clients() {
  static const Entity kClients = clients_domain().entities.front();
  return kClients;
}

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

void measure(benchmark::State& state, const Statement& statement) {
  const bool policies = state.range(0) == 1;
  const Principal principal = policies ? member() : Principal::service();
  const Statement asked = policies ? statement : of_org(statement);
  for (auto _ : state) {
    rows().run(principal, [&](Sql& sql) {
      benchmark::DoNotOptimize(sql.rows(asked.sql, asked.values).size());
    });
  }
}

void BM_List50(benchmark::State& state) {
  measure(state, list_statement(clients(), ListQuery{}));
}
BENCHMARK(BM_List50)->ArgName("policies")->Arg(0)->Arg(1)->UseRealTime();

void BM_GetOne(benchmark::State& state) {
  std::string id;
  rows().run(Principal::service(), [&id](Sql& sql) {
    id = sql.value("select id from clients where org_id = $1 limit 1", {kOrg}).value_or("");
  });
  measure(state, get_statement(clients(), id));
}
BENCHMARK(BM_GetOne)->ArgName("policies")->Arg(0)->Arg(1)->UseRealTime();

/// Counting a thousand rows: the policy's functions run once, its condition once a row.
void BM_Scan1000(benchmark::State& state) {
  measure(state, {"select count(*), max(t.name) from clients t where t.status = 'lead'", {}});
}
BENCHMARK(BM_Scan1000)->ArgName("policies")->Arg(0)->Arg(1)->UseRealTime();

/// Finals of ten words each, `range(0)` a transaction, as the caption writer stores them.
void BM_StoreSegments(benchmark::State& state) {
  MeetingId meeting;
  rows().session([&meeting](storage::Session& session) -> Status {
    const auto made = storage::create_meeting(session, {"Bench", {}});
    if (!made) return made.error();
    meeting = made->id;
    return ok();
  });
  std::uint64_t offset = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<CaptionPtr> batch;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      auto caption = std::make_shared<Caption>();
      caption->meeting = meeting;
      caption->offset = ++offset;
      caption->segment = offset;
      caption->speaker.key = "t0";
      caption->text = "ten words that somebody said in a meeting last week";
      for (int word = 0; word < 10; ++word)
        caption->words.push_back({"word", word * 100, word * 100 + 90, 0.9F});
      batch.push_back(std::move(caption));
    }
    state.ResumeTiming();
    rows().session(
        [&batch](storage::Session& session) { return storage::append_captions(session, batch); });
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_StoreSegments)->Arg(500)->Arg(2000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace qylon::api

BENCHMARK_MAIN();
