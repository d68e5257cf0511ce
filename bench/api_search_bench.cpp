// Searching 100,000 utterances of two organisations as one of their users, beside the statement
// that one would write on the tables themselves: row-level security keeps `@@` from its index
// there, and everything that matches is ranked. And what reading a whole day's meeting costs. Its
// own PostgreSQL. Exit status 1 when a rare word is not found ten times, or a common one not as
// fast.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "api/insight/meeting_insights.hpp"
#include "storage/sql.hpp"
#include "tests/support/private_database.hpp"

namespace qylon::api {
namespace {

constexpr int kRounds = 9;
constexpr double kTarget = 10;
constexpr const char* kUser = "11111111-2222-4333-8444-555555555555";

using Bench = test::PrivateDatabase;

bool transact(const Bench& bench,
              const Principal& principal,
              const std::function<void(storage::Sql&)>& body) {
  const Status status = bench.transact_as(principal, [&](pqxx::transaction_base& transaction) {
    storage::Sql sql(transaction);
    body(sql);
    return ok();
  });
  if (!status) std::printf("%s\n", status.error().message.c_str());
  return static_cast<bool>(status);
}

/// 500 meetings of 200 utterances of 12 words, of which low numbers are common.
bool fill(const Bench& bench) {
  return transact(bench, Principal::service(), [](storage::Sql& sql) {
    sql.run_script(
        "select setseed(0.5);"
        "insert into orgs (id, name) values ('bbbbbbbb-0000-4000-8000-000000000001', 'Other');"
        "insert into org_members (org_id, user_id, role) values"
        " (app.default_org(), '11111111-2222-4333-8444-555555555555', 'viewer');"
        "insert into meetings (id, epoch, title, org_id, created_at)"
        " select gen_random_uuid(), gen_random_uuid(), 'Meeting ' || n, case n % 2 when 0 then"
        " app.default_org() else 'bbbbbbbb-0000-4000-8000-000000000001' end,"
        " now() - n * interval '1 hour' from generate_series(1, 500) n;"
        "insert into utterances (meeting, caption_offset, segment, revision, track, start_ms,"
        " end_ms, speaker_key, speaker_confidence, text, confidence, language, engine, org_id)"
        " select m.id, n, n, 1, 0, n * 1000, n * 1000 + 900, 't0', 1, (select"
        "  string_agg('word' || floor(random() ^ 4 * 5000 + (n + k) * 0)::integer, ' ')"
        "  from generate_series(1, 12) k), 1, 'en', 'bench', m.org_id"
        " from meetings m, generate_series(1, 200) n");
  });
}

/// What autovacuum does after so much is written: new words wait in a list that every search reads.
bool settle(const Bench& bench) {
  return static_cast<bool>(bench.transact_as_owner([](pqxx::transaction_base& transaction) {
    storage::Sql(transaction)
        .run_script("select gin_clean_pending_list('utterances_search_idx'); analyze");
    return ok();
  }));
}

/// Median milliseconds of a statement as the user.
double time_of(const Bench& bench, const std::string& statement, const std::string& word) {
  const Principal user{.role = "authenticated",
                       .user = kUser,
                       .claims = std::string(R"({"role":"authenticated","sub":")") + kUser +
                                 R"(","active_org":"00000000-0000-4000-8000-000000000001"})"};
  std::vector<double> times;
  for (int round = 0; round < kRounds; ++round) {
    const std::int64_t started_us = bench.clock().monotonic_us();
    if (!transact(bench, user, [&](storage::Sql& sql) { sql.rows(statement, {word}); })) return 0;
    times.push_back(static_cast<double>(bench.clock().monotonic_us() - started_us) * 1e-3);
  }
  std::sort(times.begin(), times.end());
  return times[kRounds / 2];
}

double ratio_of(const Bench& bench, const char* name, const std::string& word) {
  const double ours = time_of(bench, "select app.search_utterances($1, null, 20)", word);
  const double peer = time_of(bench,
                              "select u.meeting, u.caption_offset, u.text,"
                              " ts_rank_cd(u.search, q) as rank from utterances u,"
                              " websearch_to_tsquery('english', $1) q where u.search @@ q"
                              " order by rank desc limit 20",
                              word);
  std::printf("%-12s ours %7.1f ms, on the tables %7.1f ms: %.1f times\n",
              name,
              ours,
              peer,
              ours > 0 ? peer / ours : 0);
  return ours > 0 ? peer / ours : 0;
}

void time_insights(const Bench& bench) {
  std::vector<SpokenLine> lines;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = i % 50 == 0 ? "I'll send the report by friday." : "We talked about";
    for (int word = 0; word < 8; ++word)
      text += " word" + std::to_string((i * 7919 + word * 104'729) % 3001);
    lines.push_back({i, i * 4000, i * 4000 + 3500, i % 3 == 0 ? "Ann" : "Bob", std::move(text)});
  }
  const std::int64_t started_us = bench.clock().monotonic_us();
  const MeetingInsights found = read_insights(lines, std::chrono::year(2026) / 3 / 4);
  std::printf("a day's meeting: %zu words, %zu action items in %.0f ms\n",
              found.words,
              found.action_items.size(),
              static_cast<double>(bench.clock().monotonic_us() - started_us) * 1e-3);
}

}  // namespace
}  // namespace qylon::api

int main() {
  qylon::api::Bench bench(std::filesystem::temp_directory_path());
  const qylon::Status started =
      bench.start({.url = {}, .connections = 1, .statement_timeout_ms = 120'000});
  if (!started || !qylon::api::fill(bench) || !qylon::api::settle(bench)) return 2;
  qylon::api::time_insights(bench);
  const double common = qylon::api::ratio_of(bench, "common word", "word0");
  const double rare = qylon::api::ratio_of(bench, "rare words", "word4321 word4000 or word4999");
  return common >= 1 && rare >= qylon::api::kTarget ? 0 : 1;
}
