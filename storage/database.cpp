#include "storage/database.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include "core/bounded_queue.hpp"
#include "core/sync.hpp"
#include "storage/pg_connection.hpp"

namespace qylon::storage {
namespace {

constexpr std::chrono::milliseconds kKeeperInterval{250};
// Beyond its own statement timeout the server had this long to say so; then it hangs.
constexpr std::int64_t kHangGraceUs = 1'000'000;

/// What the threads of one pool share.
class Pool {
 public:
  Pool(Database::Options options, const Log& log, Counters& counters, const Clock& clock)
      : connections_(options.connections),
        hang_after_us_(std::int64_t{options.statement_timeout_ms} * 1000 + kHangGraceUs),
        settings_{std::move(options.url),
                  options.statement_timeout_ms,
                  options.lock_timeout_ms,
                  options.idle_in_transaction_timeout_ms},
        log_(log),
        clock_(clock),
        up_(counters.gauge("qylon_db_up", "1 while PostgreSQL answers")),
        refused_(counters.counter("qylon_db_jobs_refused_total",
                                  "Database jobs refused because the queue was full")),
        failed_(counters.counter("qylon_db_transactions_failed_total",
                                 "Transactions that ended with an error")),
        cut_(counters.counter("qylon_db_connections_cut_total",
                              "Connections cut because the server hung")),
        seconds_(counters.histogram("qylon_db_transaction_seconds",
                                    "Time of one transaction",
                                    {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10})) {}

  Result<std::unique_ptr<PgConnection>> connect() {
    auto connection = PgConnection::connect(settings_, log_);
    set_up(static_cast<bool>(connection));
    return connection;
  }

  bool up() const noexcept { return up_flag_.load(std::memory_order_acquire); }
  /// Opens or closes the gate; a closed one wakes the keeper, which opens it again.
  void set_up(bool up) QYLON_EXCLUDES(mutex_) {
    const bool before = up_flag_.exchange(up, std::memory_order_acq_rel);
    up_.set(up ? 1 : 0);
    if (before == up) return;
    if (up) {
      log_.info("pg_up");
    } else {
      log_.warn("pg_away");
      const MutexLock lock(mutex_);
      suspicious_ = true;
      wake_.notify_all();
    }
  }

  /// Waits for the next round, or less when the gate closes. False when the pool is going.
  bool wait_round() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (!stopping_ && !suspicious_) wake_.wait_for(mutex_, kKeeperInterval);
    suspicious_ = false;
    return !stopping_;
  }
  void stop() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }

  const int connections_;  // Constant after construction, like the next four.
  const std::int64_t hang_after_us_;
  const PgConnection::Settings settings_;
  const Log& log_;
  const Clock& clock_;
  Gauge& up_;
  Counter& refused_;
  Counter& failed_;
  Counter& cut_;
  Histogram& seconds_;

 private:
  std::atomic<bool> up_flag_{false};
  Mutex mutex_;
  Condition wake_;
  bool stopping_ QYLON_GUARDED_BY(mutex_) = false;
  bool suspicious_ QYLON_GUARDED_BY(mutex_) = false;
};

}  // namespace

class Session::Impl {
 public:
  explicit Impl(Pool& pool) : pool_(pool) {}

  Status transact(const Principal& principal, const Body& body) {
    if (!pool_.up()) return away();
    if (connection_ && !connection_->alive()) connection_.reset();
    if (!connection_) {
      auto connected = pool_.connect();
      if (!connected) return connected.error();
      connection_ = std::move(*connected);
    }
    const std::int64_t started_us = pool_.clock_.monotonic_us();
    set_busy(connection_->socket(), started_us);
    Status status = connection_->transact_as(principal, body);
    set_busy(-1, 0);
    pool_.seconds_.observe(static_cast<double>(pool_.clock_.monotonic_us() - started_us) * 1e-6);
    if (!status) note_failure();
    return status;
  }

  /// Keeper: makes a transaction fail that has outlived every timeout of the server.
  void cut_if_hung() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (busy_socket_ < 0) return;
    if (pool_.clock_.monotonic_us() - busy_since_us_ < pool_.hang_after_us_) return;
    ::shutdown(busy_socket_, SHUT_RDWR);
    busy_socket_ = -1;
    pool_.cut_.add();
    pool_.log_.warn("pg_connection_cut");
  }

 private:
  static Error away() { return {ErrorCode::kUnavailable, "the database is away; retry"}; }

  void note_failure() {
    pool_.failed_.add();
    if (connection_->alive()) return;
    connection_.reset();
    pool_.set_up(false);
  }

  // Guarded, so that the keeper never shuts a socket down whose number has passed to another.
  void set_busy(int socket, std::int64_t since_us) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    busy_socket_ = socket;
    busy_since_us_ = since_us;
  }

  Pool& pool_;
  std::unique_ptr<PgConnection> connection_;  // Owned by the database thread.
  Mutex mutex_;
  int busy_socket_ QYLON_GUARDED_BY(mutex_) = -1;
  std::int64_t busy_since_us_ QYLON_GUARDED_BY(mutex_) = 0;
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

Status Session::transact_as(const Principal& principal, const Body& body) {
  return impl_->transact(principal, body);
}

class Database::Impl {
 public:
  Impl(Options options, const Log& log, Counters& counters, const Clock& clock)
      : jobs_(options.jobs_max), pool_(std::move(options), log, counters, clock) {
    keeper_connection_ = connect_keeper();
    for (int i = 0; i < pool_.connections_; ++i)
      sessions_.push_back(
          std::unique_ptr<Session>(new Session(std::make_unique<Session::Impl>(pool_))));
    for (const auto& session : sessions_)
      workers_.emplace_back([this, worker = session.get()] { work(*worker); });
    keeper_ = std::thread([this] { keep(); });
  }
  ~Impl() {
    jobs_.close();
    for (std::thread& worker : workers_)
      worker.join();
    pool_.stop();
    keeper_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  Impl(Impl&&) = delete;
  Impl& operator=(Impl&&) = delete;

  bool submit(Job&& job) {
    if (jobs_.try_push(std::move(job))) return true;
    pool_.refused_.add();
    return false;
  }
  bool healthy() const noexcept { return pool_.up(); }

 private:
  void work(Session& session) {
    while (auto job = jobs_.pop())
      (*job)(session);
  }

  void keep() {
    while (pool_.wait_round()) {
      for (const auto& session : sessions_)
        session->impl_->cut_if_hung();
      check_server();
    }
  }

  /// One connection that nobody else uses tells whether the server is there.
  void check_server() {
    if (pool_.up() && keeper_connection_ && keeper_connection_->alive()) return;
    keeper_connection_ = connect_keeper();
  }
  std::unique_ptr<PgConnection> connect_keeper() {
    auto connected = pool_.connect();
    return connected ? std::move(*connected) : nullptr;
  }

  BoundedQueue<Job> jobs_;
  Pool pool_;
  std::vector<std::unique_ptr<Session>> sessions_;   // Constant after construction.
  std::unique_ptr<PgConnection> keeper_connection_;  // Owned by the keeper.
  std::vector<std::thread> workers_;
  std::thread keeper_;
};

Result<std::unique_ptr<Database>> Database::open(Options options,
                                                 const Log& log,
                                                 Counters& counters,
                                                 const Clock& clock) {
  if (options.connections < 1 || options.connections > 64)
    return Error{ErrorCode::kInvalidArgument, "connections must be in 1..64"};
  if (options.jobs_max < 1)
    return Error{ErrorCode::kInvalidArgument, "jobs_max must be at least 1"};
  if (options.statement_timeout_ms < 1)
    return Error{ErrorCode::kInvalidArgument, "statement_timeout_ms must be at least 1"};
  return std::unique_ptr<Database>(
      new Database(std::make_unique<Impl>(std::move(options), log, counters, clock)));
}

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

bool Database::submit(Job job) {
  return impl_->submit(std::move(job));
}
bool Database::healthy() const noexcept {
  return impl_->healthy();
}

}  // namespace qylon::storage
