#pragma once
/// How long statements take, by what they do and to which table.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/sync.hpp"

namespace qylon::storage {

struct QuerySubject {
  std::string operation;  ///< "select", "insert", "update", "delete" or "other".
  std::string table;      ///< The first one outside parentheses, else the first; "none" without.

  auto operator<=>(const QuerySubject&) const = default;
};
/// Input : one statement of ours: comments and quoted names are not looked for.
/// Cost  : one walk over the text.
QuerySubject query_subject(std::string_view statement);

/// Metric  : database_query_duration_seconds{operation,table}, from a statement's sending to the
/// end
///           of its answer.
/// Bound   : `subjects_max` pairs of labels; statements beyond count as {other,none}.
/// Threads : every method from any thread.
class QueryTimes {
 public:
  QueryTimes(Counters& counters, const Clock& clock, std::size_t subjects_max = 500)
      : counters_(counters), clock_(clock), subjects_max_(subjects_max) {}

  /// The calling thread's statements are measured here until the thread ends. Those of other
  /// threads (migrations, tools) are measured nowhere.
  void watch_this_thread() noexcept;

  /// Measures one statement of the calling thread from construction to destruction.
  class Statement {
   public:
    explicit Statement(std::string_view statement);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    Statement(Statement&&) = delete;
    Statement& operator=(Statement&&) = delete;

   private:
    QueryTimes* const times_;
    const std::string_view statement_;
    const std::int64_t since_us_;
  };

 private:
  Histogram& series(std::string_view statement) QYLON_EXCLUDES(mutex_);

  Counters& counters_;  // Constant after construction, like the next two.
  const Clock& clock_;
  const std::size_t subjects_max_;
  Mutex mutex_;
  std::map<QuerySubject, Histogram*> series_ QYLON_GUARDED_BY(mutex_);
};

/// `Transaction::exec_params`, measured. A template, since headers know no libpqxx.
template <typename Transaction, typename... Values>
auto run_timed(Transaction& transaction, const std::string& statement, const Values&... values) {
  const QueryTimes::Statement timed(statement);
  return transaction.exec_params(statement, values...);
}

}  // namespace qylon::storage
