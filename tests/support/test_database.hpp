#pragma once
/// One migrated PostgreSQL of a test program's own, and its pool. Include it in one .cpp of the
/// program that runs tests against a database; the cluster starts before the first test.

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
#include "storage/migrations.hpp"
#include "storage/pg_connection.hpp"
#include "storage/private_cluster.hpp"
#include "storage/sql.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::test {

class TestDatabase final : public testing::Environment {
 public:
  /// The program's; its tests may use it, the program's start may not.
  static const TestDatabase* of_program() {
    return static_cast<TestDatabase*>(testing::AddGlobalTestEnvironment(new TestDatabase));
  }

  void SetUp() override {
    auto cluster =
        storage::PrivateCluster::start({.data_dir = directory_.path(), .bin_dir = {}}, log_);
    ASSERT_TRUE(cluster) << cluster.error().message;
    cluster_ = *std::move(cluster);
    const auto report = storage::migrate(cluster_->owner_url(), log_);
    ASSERT_TRUE(report) << report.error().message;
    storage::Database::Options options;
    options.url = cluster_->url();
    auto pool = storage::Database::open(options, log_, counters_, clock_);
    ASSERT_TRUE(pool) << pool.error().message;
    pool_ = *std::move(pool);
  }
  void TearDown() override {
    pool_.reset();
    cluster_.reset();
  }

  std::string owner_url() const { return cluster_->owner_url(); }
  std::string url() const { return cluster_->url(); }
  storage::Database& pool() const { return *pool_; }

  /// Runs `job` on a database thread and returns what it returned.
  template <typename T>
  T run(std::function<T(storage::Session&)> job) const {
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    EXPECT_TRUE(pool_->submit([promise, job = std::move(job)](storage::Session& session) {
      promise->set_value(job(session));
    }));
    return future.get();
  }
  /// One transaction as `principal`.
  Status transact_as(const Principal& principal, const storage::Session::Body& body) const {
    return run<Status>(
        [&](storage::Session& session) { return session.transact_as(principal, body); });
  }
  /// What a statement of the server itself finds.
  std::vector<storage::SqlRow> rows(const std::string& statement,
                                    const std::vector<storage::SqlValue>& values = {}) const {
    std::vector<storage::SqlRow> found;
    const Status status =
        transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
          found = storage::Sql(transaction).rows(statement, values);
          return ok();
        });
    EXPECT_TRUE(status) << status.error().message;
    return found;
  }
  /// One transaction as the owner of every table, on a connection of its own.
  Status transact_as_owner(const storage::PgConnection::Body& body) const {
    const auto connection = storage::PgConnection::connect({.url = owner_url()}, log_);
    return connection ? (*connection)->transact(body) : connection.error();
  }

 private:
  TemporaryDirectory directory_{memory_directory()};
  SystemClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  std::unique_ptr<storage::PrivateCluster> cluster_;
  std::unique_ptr<storage::Database> pool_;
};

}  // namespace qylon::test
