// How soon a PostgreSQL that hangs is noticed, and that a busy one is not taken for hung.

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "storage/database.hpp"
#include "storage/meeting_store.hpp"
#include "storage/migrations.hpp"
#include "storage/private_cluster.hpp"
#include "tests/support/polling.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::storage {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

const SystemClock kClock;
const Log kLog(kClock, LogLevel::kError);

class HungDatabase : public testing::Test {
 protected:
  void SetUp() override {
    PrivateCluster::Options options;
    options.data_dir = directory_.path();
    auto started = PrivateCluster::start(options, kLog);
    ASSERT_TRUE(started) << started.error().message;
    cluster_ = std::move(*started);
    ASSERT_TRUE(migrate(cluster_->owner_url(), kLog));
  }

  test::TemporaryDirectory directory_{test::memory_directory()};
  std::unique_ptr<PrivateCluster> cluster_;
};

Result<std::vector<MeetingInfo>> list_in(Database& database) {
  auto promise = std::make_shared<std::promise<Result<std::vector<MeetingInfo>>>>();
  auto future = promise->get_future();
  EXPECT_TRUE(database.submit(
      [promise](Session& session) { promise->set_value(list_meetings(session, 1)); }));
  return future.get();
}

/// Process ids of the postmaster and of all that it started.
std::vector<pid_t> processes_of(pid_t postmaster) {
  std::vector<pid_t> pids{postmaster};
  const std::string number = std::to_string(postmaster);
  std::ifstream children("/proc/" + number + "/task/" + number + "/children");
  for (pid_t pid = 0; children >> pid;)
    pids.push_back(pid);
  return pids;
}

TEST_F(HungDatabase, AHungServerIsNoticedWithinASecondAndForgivenWhenItAnswers) {
  Database::Options options;
  options.url = cluster_->url();
  options.connections = 1;
  Counters counters;
  auto opened = Database::open(options, kLog, counters, kClock);
  ASSERT_TRUE(opened);
  Database& database = **opened;
  const auto listed = [&] { return static_cast<bool>(list_in(database)); };
  ASSERT_TRUE(test::poll_until(listed, milliseconds(5000)));
  const auto pids = processes_of(cluster_->postmaster_pid());
  for (const pid_t pid : pids)
    ::kill(pid, SIGSTOP);
  const auto stopped = steady_clock::now();
  const auto running = list_in(database);
  const auto noticed = steady_clock::now() - stopped;
  EXPECT_FALSE(database.healthy());
  const auto asked = steady_clock::now();
  EXPECT_FALSE(listed());
  const auto refused = steady_clock::now() - asked;
  for (const pid_t pid : pids)
    ::kill(pid, SIGCONT);
  ASSERT_FALSE(running);
  EXPECT_EQ(running.error().code, ErrorCode::kUnavailable);
  // 0.95 s of rounds; tests share their machine.
  EXPECT_LT(noticed, milliseconds(1500));
  EXPECT_LT(refused, milliseconds(200));
  EXPECT_TRUE(test::poll_until([&] { return database.healthy(); }, milliseconds(3000)));
  EXPECT_TRUE(test::poll_until(listed, milliseconds(3000)));
}

TEST_F(HungDatabase, ALongStatementElsewhereIsNoHungServer) {
  Database::Options options;
  options.url = cluster_->url();
  Counters counters;
  auto database = Database::open(options, kLog, counters, kClock);
  ASSERT_TRUE(database);
  auto sleeping = std::async(std::launch::async, [this] {
    const std::string command = "psql -Atq '" + cluster_->owner_url() +
                                "' -c 'begin' -c 'lock table meetings' -c 'select pg_sleep(1.5)'";
    return std::system((command + " >/dev/null").c_str());  // NOLINT(cert-env33-c)
  });
  while (sleeping.wait_for(milliseconds(10)) != std::future_status::ready)
    EXPECT_TRUE((*database)->healthy());
  EXPECT_EQ(sleeping.get(), 0);
  EXPECT_EQ(counters.counter("qylon_db_connections_cut_total", "").value(), 0U);
}

}  // namespace
}  // namespace qylon::storage
