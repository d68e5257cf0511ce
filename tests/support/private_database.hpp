#pragma once
/// One migrated PostgreSQL of a program's own, and its pool: for tests and benchmarks.

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "core/check.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "storage/pg_connection.hpp"
#include "storage/private_cluster.hpp"
#include "tests/support/temporary_directory.hpp"

namespace qylon::test {

class PrivateDatabase {
 public:
  /// The cluster will lie in a new folder of `parent`.
  explicit PrivateDatabase(const std::filesystem::path& parent) : directory_(parent) {}

  /// REQUIRES: once, before anything else.
  Status start(storage::Database::Options options = {}) {
    auto cluster =
        storage::PrivateCluster::start({.data_dir = directory_.path(), .bin_dir = {}}, log_);
    if (!cluster) return cluster.error();
    cluster_ = *std::move(cluster);
    const auto report = storage::migrate(cluster_->owner_url(), log_);
    if (!report) return report.error();
    options.url = cluster_->url();
    auto pool = storage::Database::open(std::move(options), log_, counters_, clock_);
    if (!pool) return pool.error();
    pool_ = *std::move(pool);
    return ok();
  }
  void stop() {
    pool_.reset();
    cluster_.reset();
  }

  std::string owner_url() const { return cluster_->owner_url(); }
  std::string url() const { return cluster_->url(); }
  int postmaster_pid() const { return cluster_->postmaster_pid(); }
  storage::Database& pool() const { return *pool_; }
  const Clock& clock() const { return clock_; }
  const Log& log() const { return log_; }
  Counters& counters() { return counters_; }

  /// Runs `job` on a database thread and returns what it returned.
  template <typename T>
  T run(std::function<T(storage::Session&)> job) const {
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    const bool taken = pool_->submit([promise, job = std::move(job)](storage::Session& session) {
      promise->set_value(job(session));
    });
    QYLON_CHECK(taken);
    return future.get();
  }
  /// One transaction as `principal`.
  Status transact_as(const Principal& principal, const storage::Session::Body& body) const {
    return run<Status>(
        [&](storage::Session& session) { return session.transact_as(principal, body); });
  }
  /// One transaction as the owner of every table, on a connection of its own.
  Status transact_as_owner(const storage::PgConnection::Body& body) const {
    const auto connection = storage::PgConnection::connect({.url = owner_url()}, log_);
    return connection ? (*connection)->transact(body) : connection.error();
  }

 private:
  const TemporaryDirectory directory_;
  const SystemClock clock_;
  const Log log_{clock_, LogLevel::kError};
  Counters counters_;
  std::unique_ptr<storage::PrivateCluster> cluster_;
  std::unique_ptr<storage::Database> pool_;
};

}  // namespace qylon::test
