#pragma once
/// One PostgreSQL connection, with libpqxx and its exceptions kept inside.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/log.hpp"
#include "core/principal.hpp"
#include "core/result.hpp"

namespace pqxx {
class transaction_base;
}

namespace qylon::storage {

/// Threads: one at a time.
class PgConnection {
 public:
  struct Settings {
    std::string url;               ///< libpq connection string or postgresql:// URL.
    int statement_timeout_ms = 0;  ///< 0: none; so the next two.
    int lock_timeout_ms = 0;
    int idle_in_transaction_timeout_ms = 0;
  };
  using Body = std::function<Status(pqxx::transaction_base&)>;

  /// Blocks at most about 2 s, libpq's smallest connect_timeout. `log` must outlive the result.
  /// Errors: kUnavailable; kInvalidArgument for a connection string libpq cannot read.
  static Result<std::unique_ptr<PgConnection>> connect(const Settings& settings, const Log& log);
  ~PgConnection();
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;
  PgConnection(PgConnection&&) = delete;
  PgConnection& operator=(PgConnection&&) = delete;

  /// One transaction around `body`; see Session::transact. libpqxx never reconnects on its own: a
  /// new session would lack the timeouts.
  Status transact(const Body& body);
  /// As above, as `principal`: with its role and its claims until the transaction ends.
  Status transact_as(const Principal& principal, const Body& body);
  /// Runs `body` without a transaction, for statements that refuse one.
  Status run_alone(const Body& body);
  /// False once the server has hung up, even when nobody has asked since.
  bool alive() const noexcept;
  int socket() const noexcept;

 private:
  class Impl;
  explicit PgConnection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// `url` with waits bounded: connect 2 s, unacknowledged TCP data 5 s, and an application name.
/// What the URL sets itself is kept.
std::string bounded_url(std::string_view url);

}  // namespace qylon::storage
