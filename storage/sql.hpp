#pragma once
/// Statements for whoever keeps no types of libpqxx: parameters and answers are text.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pqxx {
class transaction_base;
}

namespace qylon::storage {

/// PostgreSQL's text form of a value, cast in the statement where it matters ($1::uuid).
using SqlValue = std::optional<std::string>;
using SqlRow = std::vector<SqlValue>;

/// One transaction's statements. What PostgreSQL refuses is thrown through the body of
/// Session::transact, which turns it into an Error.
///
/// Threads: only inside that body.
class Sql {
 public:
  explicit Sql(pqxx::transaction_base& transaction) : transaction_(transaction) {}

  std::vector<SqlRow> rows(std::string_view statement, const std::vector<SqlValue>& values = {});
  /// The first column of the first row; nothing when there is no row or it is null.
  SqlValue value(std::string_view statement, const std::vector<SqlValue>& values = {});
  /// How many rows the statement changed.
  std::size_t run(std::string_view statement, const std::vector<SqlValue>& values = {});
  /// Several statements without parameters, one after another.
  void run_script(std::string_view statements);

 private:
  pqxx::transaction_base& transaction_;
};

}  // namespace qylon::storage
