#pragma once
/// The bounded pool of database threads, and the session each of them lends to a job.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "core/principal.hpp"
#include "core/result.hpp"

namespace pqxx {
class transaction_base;
}

namespace qylon::storage {

class Database;
class Sql;

/// One database thread's connection. Stores (storage/meeting_store.hpp) are free functions on it.
///
/// Threads: only inside the job that it was passed to.
class Session {
 public:
  using Body = std::function<Status(pqxx::transaction_base&)>;

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  Session(Session&&) = delete;
  Session& operator=(Session&&) = delete;
  ~Session();

  /// Runs `body` in one transaction, as the server itself: commits when it returns ok, rolls back
  /// otherwise. pqxx exceptions from `body` become errors here.
  /// Errors: kUnavailable at once while the server is known to be away, within a second when it
  ///         hangs, and after 0.3 s without a connection (a lost answer to COMMIT is reported so
  ///         too: write idempotently); kConflict unique violation; kNotFound foreign key;
  ///         kInvalidArgument refused value; kInternal otherwise, with the SQLSTATE logged; or what
  ///         `body` returned.
  Status transact(const Body& body) { return transact_as(Principal::service(), body); }
  /// As above, as `principal`: row-level security shows and takes what is the principal's. Further
  /// errors: kForbidden for a row that its policies refuse.
  Status transact_as(const Principal& principal, const Body& body);

 private:
  friend class Database;
  class Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A pool of database threads with one bounded queue of jobs.
///
/// Threads: submit() and healthy() from any thread, never block. Jobs run on the pool's threads, in
///          no order among each other and never connect. A heart thread asks the server a trifle
///          every 150 ms and makes the connections; a watcher closes the gate and cuts them all
///          when that stays unanswered for 0.6 s. It also cuts a connection that outlives its
///          statement timeout by 1 s.
/// Queue  : jobs_max jobs; full means refuse (qylon_db_jobs_refused_total), the caller answers 503.
class Database {
 public:
  struct Options {
    std::string url;              ///< libpq connection string or postgresql:// URL.
    int connections = 4;          ///< Threads, each with one connection. 1..64.
    std::size_t jobs_max = 1024;  ///< Waiting jobs.
    int statement_timeout_ms = 5000;
    int lock_timeout_ms = 1000;
    int idle_in_transaction_timeout_ms = 10'000;
  };
  using Job = std::function<void(Session&)>;

  /// Starts the threads; connects in the background, so a server that is away is no error here.
  /// Errors: kInvalidArgument for an option out of range.
  static Result<std::unique_ptr<Database>> open(Options options,
                                                const Log& log,
                                                Counters& counters,
                                                const Clock& clock);
  /// Runs every job that was accepted (they fail fast while the server is away), then joins.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  Database(Database&&) = delete;
  Database& operator=(Database&&) = delete;

  /// False when the queue is full: the job was not and will not be run.
  [[nodiscard]] bool submit(Job job);
  /// Runs `body` in one transaction on a database thread and waits for it: at start, and for
  /// threads that may block. Never from a job. Errors: kOverloaded when the queue is full; those of
  /// Session::transact().
  Status transact_and_wait(const std::function<Status(Sql&)>& body);
  /// The server answered the last time it was asked, at most about 0.8 s ago.
  bool healthy() const noexcept;

 private:
  class Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace qylon::storage
