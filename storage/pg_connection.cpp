#include "storage/pg_connection.hpp"

#include <array>
#include <utility>

#include <poll.h>
#include <pqxx/pqxx>

namespace qylon::storage {
namespace {

Error unavailable(std::string message) {
  return {ErrorCode::kUnavailable, std::move(message)};
}

/// The server's first line: the primary message, without DETAIL, which repeats values.
std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

/// Source: PostgreSQL 15 manual, appendix A.
ErrorCode code_of_sqlstate(std::string_view state) {
  constexpr std::array<std::pair<std::string_view, ErrorCode>, 15> kMeanings{{
      {"23505", ErrorCode::kConflict},      // unique_violation
      {"23503", ErrorCode::kNotFound},      // foreign_key_violation
      {"55000", ErrorCode::kConflict},      // object_not_in_prerequisite_state: our own rules
      {"55P03", ErrorCode::kUnavailable},   // lock_not_available
      {"57014", ErrorCode::kUnavailable},   // query_canceled: the statement timeout
      {"57P", ErrorCode::kUnavailable},     // shutdown, starting up
      {"58", ErrorCode::kUnavailable},      // system error, e.g. I/O
      {"53", ErrorCode::kUnavailable},      // out of disk, memory, connections
      {"40", ErrorCode::kUnavailable},      // serialization failure, deadlock
      {"08", ErrorCode::kUnavailable},      // connection exception
      {"25006", ErrorCode::kUnavailable},   // read-only: a standby
      {"42501", ErrorCode::kForbidden},     // insufficient_privilege: row-level security
      {"22", ErrorCode::kInvalidArgument},  // data exception
      {"23", ErrorCode::kInvalidArgument},  // other integrity constraints
      {"54", ErrorCode::kInvalidArgument},  // program limit exceeded
  }};
  for (const auto& [prefix, code] : kMeanings) {
    if (state.starts_with(prefix)) return code;
  }
  return ErrorCode::kInternal;
}

/// libpqxx 6.4.5 leaves the SQLSTATE out of this one exception.
std::string sqlstate_of(const pqxx::sql_error& error) {
  const bool refused = dynamic_cast<const pqxx::insufficient_privilege*>(&error) != nullptr;
  return refused ? "42501" : error.sqlstate();
}

Error translate_sql_error(const pqxx::sql_error& error, const Log& log) {
  const ErrorCode code = code_of_sqlstate(sqlstate_of(error));
  const std::string line = first_line(error.what());
  if (code == ErrorCode::kInternal || code == ErrorCode::kUnavailable)
    log.warn("pg_error", {{"sqlstate", error.sqlstate()}, {"message", line}});
  if (code == ErrorCode::kInternal) return {code, "the database refused a statement"};
  if (code == ErrorCode::kNotFound) return {code, "refers to something that does not exist"};
  if (error.sqlstate() == "23505") return {code, "exists already"};
  if (code == ErrorCode::kForbidden) return {code, "not allowed to the caller"};
  return {code, "the database refused: " + line};
}

/// REQUIRES: called while an exception is being handled.
Error translate_exception(const Log& log) {
  try {
    throw;
  } catch (const pqxx::sql_error& error) {
    return translate_sql_error(error, log);
  } catch (const pqxx::in_doubt_error&) {
    return unavailable("the database's answer to COMMIT was lost; retry");
  } catch (const pqxx::broken_connection& error) {
    return unavailable("the database is away: " + first_line(error.what()));
  } catch (const pqxx::transaction_rollback& error) {
    return unavailable("the database rolled back: " + first_line(error.what()));
  } catch (const std::exception& error) {
    log.error("pg_exception", {{"message", first_line(error.what())}});
    return {ErrorCode::kInternal, "the database layer failed; see the log"};
  }
}

void forbid_reactivation(pqxx::connection_base& connection) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

bool names_option(std::string_view url, std::string_view option) {
  const std::string with_equals = std::string(option) + "=";
  return url.find(with_equals) != std::string_view::npos;
}

}  // namespace

std::string bounded_url(std::string_view url) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kDefaults{
      {{"connect_timeout", "2"}, {"tcp_user_timeout", "5000"}, {"application_name", "qylon"}}};
  const bool is_uri = url.starts_with("postgres://") || url.starts_with("postgresql://");
  std::string result(url);
  for (const auto& [option, value] : kDefaults) {
    if (names_option(url, option)) continue;
    if (is_uri) {
      result += result.find('?') == std::string::npos ? '?' : '&';
    } else if (!result.empty()) {
      result += ' ';
    }
    result.append(option).append("=").append(value);
  }
  return result;
}

class PgConnection::Impl {
 public:
  Impl(const Settings& settings, const Log& log)
      : log_(log), connection_(bounded_url(settings.url)), quiet_(connection_) {
    forbid_reactivation(connection_);
    apply(settings);
  }

  template <typename Transaction>
  Status transact(const Body& body) {
    try {
      Transaction transaction(connection_);
      Status status = body(transaction);
      if (status) transaction.commit();
      return status;
    } catch (...) {
      return translate_exception(log_);
    }
  }

  bool alive() const noexcept {
    if (!connection_.is_open()) return false;
    // Not POLLIN: under TLS an idle, healthy connection may hold unread bytes.
    pollfd waiter{connection_.sock(), POLLRDHUP, 0};
    return poll(&waiter, 1, 0) == 0;
  }
  int socket() const noexcept { return connection_.sock(); }

 private:
  void apply(const Settings& settings) {
    pqxx::nontransaction transaction(connection_);
    transaction.exec_params(
        "select set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false),"
        " set_config('idle_in_transaction_session_timeout', $3, false),"
        " set_config('timezone', 'UTC', false)",
        std::to_string(settings.statement_timeout_ms),
        std::to_string(settings.lock_timeout_ms),
        std::to_string(settings.idle_in_transaction_timeout_ms));
  }

  const Log& log_;
  pqxx::connection connection_;
  pqxx::quiet_errorhandler quiet_;  // Notices would go to stderr, beside the log.
};

Result<std::unique_ptr<PgConnection>> PgConnection::connect(const Settings& settings,
                                                            const Log& log) {
  try {
    return std::unique_ptr<PgConnection>(new PgConnection(std::make_unique<Impl>(settings, log)));
  } catch (...) {
    return translate_exception(log);
  }
}

PgConnection::PgConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PgConnection::~PgConnection() = default;

Status PgConnection::transact(const Body& body) {
  return impl_->transact<pqxx::work>(body);
}
Status PgConnection::transact_as(const Principal& principal, const Body& body) {
  return transact([&](pqxx::transaction_base& transaction) {
    transaction.exec_params(
        "select set_config('request.jwt.claims', $1, true), set_config('role', $2, true)",
        principal.claims,
        principal.role);
    return body(transaction);
  });
}
Status PgConnection::run_alone(const Body& body) {
  return impl_->transact<pqxx::nontransaction>(body);
}
bool PgConnection::alive() const noexcept {
  return impl_->alive();
}
int PgConnection::socket() const noexcept {
  return impl_->socket();
}

}  // namespace qylon::storage
