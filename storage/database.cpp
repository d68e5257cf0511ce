#include "storage/database.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include <pqxx/transaction_base>

#include "core/bounded_queue.hpp"
#include "core/sync.hpp"
#include "storage/pg_connection.hpp"
#include "storage/pg_link.hpp"
#include "storage/query_times.hpp"
#include "storage/sql.hpp"

namespace qylon::storage {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBeatInterval{150};
constexpr milliseconds kWatchInterval{100};
// A heartbeat without an answer for so many rounds of the watcher, 0.6 s: the server hangs. Rounds
// and not time, so that a process that was itself held up does not blame PostgreSQL.
constexpr int kSilentRoundsMax = 6;
// Beyond its own statement timeout a connection had this long to say so; then it hangs.
constexpr std::int64_t kHangGraceUs = 1'000'000;
// How long a job whose connection broke waits for another one.
constexpr milliseconds kPatience{300};

/// When a thread has its next round.
class Pace {
 public:
  /// False when it is to end.
  bool wait(milliseconds interval) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (!stopping_ && !hurried_) wake_.wait_for(mutex_, interval);
    hurried_ = false;
    return !stopping_;
  }
  void hurry() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    hurried_ = true;
    wake_.notify_all();
  }
  void stop() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }

 private:
  Mutex mutex_;
  Condition wake_;
  bool hurried_ QYLON_GUARDED_BY(mutex_) = false;
  bool stopping_ QYLON_GUARDED_BY(mutex_) = false;
};

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
                                    {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10})),
        query_times_(counters, clock) {}

  bool up() const noexcept { return up_flag_.load(std::memory_order_acquire); }
  /// Opens or closes the gate: while it is closed transactions fail at once.
  void set_up(bool up) {
    const bool before = up_flag_.exchange(up, std::memory_order_acq_rel);
    up_.set(up ? 1 : 0);
    if (!before && up) log_.info("pg_up");
    if (before && !up) log_.warn("pg_away");
  }
  void note_cut() {
    cut_.add();
    log_.warn("pg_connection_cut");
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

  QueryTimes query_times_;
  Pace heart_pace_;

 private:
  std::atomic<bool> up_flag_{false};
};

/// Asks the server a trifle every 150 ms on a connection of its own, which no long statement and no
/// full queue can hold up, and makes everybody's connections. Alone opens the gate.
class Heart {
 public:
  Heart(Pool& pool, std::vector<PgLink*> links) : pool_(pool), links_(std::move(links)) {}

  /// Heart's thread.
  void beat() {
    if (own_.lacks()) {
      pool_.set_up(false);
      if (!fill(own_)) return;
    }
    PgConnection* const connection = own_.take(milliseconds(0), 1);
    if (connection == nullptr) return pool_.set_up(false);
    beats_.fetch_add(1, std::memory_order_acq_rel);
    const bool answered = answers(*connection);
    beats_.fetch_add(1, std::memory_order_acq_rel);
    const bool lives = own_.release();
    pool_.set_up(answered && lives && fill_all());
  }

  /// Watcher, once a round: one heartbeat has been without an answer for too many of them.
  bool silent() {
    const std::uint64_t beats = beats_.load(std::memory_order_acquire);
    const bool same_in_flight = beats % 2 == 1 && beats == beats_before_;
    beats_before_ = beats;
    silent_rounds_ = same_in_flight ? silent_rounds_ + 1 : 0;
    return silent_rounds_ >= kSilentRoundsMax;
  }
  /// Watcher: everybody's.
  void cut_all() {
    for (PgLink* const link : links_) {
      if (link->cut()) pool_.note_cut();
    }
    if (own_.cut()) pool_.note_cut();
  }

 private:
  static bool answers(PgConnection& connection) {
    const auto ask = [](pqxx::transaction_base& transaction) {
      transaction.exec("select 1");
      return ok();
    };
    // A server that answers with an error does answer.
    return connection.run_alone(ask) || connection.alive();
  }
  bool fill(PgLink& link) {
    auto connection = PgConnection::connect(pool_.settings_, pool_.log_);
    if (connection) link.put(*std::move(connection));
    return static_cast<bool>(connection);
  }
  bool fill_all() {
    return std::ranges::all_of(links_,
                               [this](PgLink* link) { return !link->lacks() || fill(*link); });
  }

  Pool& pool_;
  const std::vector<PgLink*> links_;
  PgLink own_;
  std::atomic<std::uint64_t> beats_{0};  // Begun and ended ones: odd while one is in flight.
  std::uint64_t beats_before_ = 0;       // Watcher's, like the next.
  int silent_rounds_ = 0;
};

}  // namespace

class Session::Impl {
 public:
  explicit Impl(Pool& pool) : pool_(pool) {}

  Status transact(const Principal& principal, const Body& body) {
    if (!pool_.up()) return away();
    PgConnection* const connection = take();
    if (connection == nullptr) return away();
    const std::int64_t started_us = pool_.clock_.monotonic_us();
    Status status = connection->transact_as(principal, body);
    if (!link_.release()) pool_.heart_pace_.hurry();
    pool_.seconds_.observe(static_cast<double>(pool_.clock_.monotonic_us() - started_us) * 1e-6);
    if (!status) pool_.failed_.add();
    return status;
  }
  PgLink& link() noexcept { return link_; }

 private:
  static Error away() { return {ErrorCode::kUnavailable, "the database is away; retry"}; }

  PgConnection* take() {
    if (link_.lacks()) pool_.heart_pace_.hurry();
    return link_.take(kPatience, pool_.clock_.monotonic_us());
  }

  Pool& pool_;
  PgLink link_;
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

Status Session::transact_as(const Principal& principal, const Body& body) {
  return impl_->transact(principal, body);
}

class Database::Impl {
 public:
  Impl(Options options, const Log& log, Counters& counters, const Clock& clock)
      : jobs_(options.jobs_max),
        pool_(std::move(options), log, counters, clock),
        sessions_(make_sessions(pool_)),
        heart_(pool_, links()) {
    heart_.beat();
    for (const auto& session : sessions_)
      workers_.emplace_back([this, worker = session.get()] { work(*worker); });
    heart_thread_ = std::thread([this] {
      while (pool_.heart_pace_.wait(kBeatInterval))
        heart_.beat();
    });
    watcher_ = std::thread([this] {
      while (watch_pace_.wait(kWatchInterval))
        watch();
    });
  }
  ~Impl() {
    jobs_.close();
    for (std::thread& worker : workers_)
      worker.join();
    pool_.heart_pace_.stop();
    heart_thread_.join();
    watch_pace_.stop();  // Last: the others may wait for a server that hangs.
    watcher_.join();
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
  using Sessions = std::vector<std::unique_ptr<Session>>;

  static Sessions make_sessions(Pool& pool) {
    Sessions sessions;
    for (int i = 0; i < pool.connections_; ++i)
      sessions.push_back(
          std::unique_ptr<Session>(new Session(std::make_unique<Session::Impl>(pool))));
    return sessions;
  }
  std::vector<PgLink*> links() const {
    std::vector<PgLink*> links;
    for (const auto& session : sessions_)
      links.push_back(&session->impl_->link());
    return links;
  }

  void work(Session& session) {
    pool_.query_times_.watch_this_thread();
    while (auto job = jobs_.pop())
      (*job)(session);
  }

  void watch() {
    if (heart_.silent()) {
      // The server hangs: new jobs fail at once, running ones now, and the heart connects anew.
      pool_.set_up(false);
      heart_.cut_all();
      return;
    }
    const std::int64_t hung_since_us = pool_.clock_.monotonic_us() - pool_.hang_after_us_;
    for (const auto& session : sessions_) {
      if (session->impl_->link().cut_if_busy_since(hung_since_us)) pool_.note_cut();
    }
  }

  BoundedQueue<Job> jobs_;
  Pool pool_;
  const Sessions sessions_;
  Heart heart_;
  Pace watch_pace_;
  std::vector<std::thread> workers_;
  std::thread heart_thread_;
  std::thread watcher_;
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
Status Database::transact_and_wait(const std::function<Status(Sql&)>& body) {
  std::promise<Status> answer;
  const bool taken = submit([&](Session& session) {
    answer.set_value(session.transact([&](pqxx::transaction_base& transaction) {
      Sql sql(transaction);
      return body(sql);
    }));
  });
  if (!taken) return Error{ErrorCode::kOverloaded, "the database's queue is full"};
  return answer.get_future().get();
}
bool Database::healthy() const noexcept {
  return impl_->healthy();
}

}  // namespace qylon::storage
