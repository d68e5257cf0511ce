#include "storage/query_times.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace qylon::storage {
namespace {

// libpqxx gives its transactions nothing to hang an observer on, and a statement runs on the thread
// that asks for it.
thread_local QueryTimes* watcher = nullptr;

constexpr std::array<std::string_view, 4> kOperations{"select", "insert", "update", "delete"};
/// What a table's name comes after.
constexpr std::array<std::string_view, 3> kBeforeTable{"from", "into", "update"};
/// What stands between and is no name.
constexpr std::array<std::string_view, 2> kNoNames{"only", "lateral"};

template <std::size_t size>
bool is_one_of(const std::array<std::string_view, size>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

/// A statement's words and parentheses one after another; texts in quotes are passed over.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  /// A word, "(" or ")"; empty at the end.
  std::string_view next() {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\'') {
        at_ = std::min(text_.find('\'', at_ + 1), text_.size() - 1);
      } else if (c == '(' || c == ')') {
        return text_.substr(at_++, 1);
      } else if (is_word(c)) {
        return word();
      }
    }
    return {};
  }

 private:
  std::string_view word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_]))
      ++at_;
    return text_.substr(begin, at_ - begin);
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

QuerySubject query_subject(std::string_view statement) {
  Tokens tokens(statement);
  std::string_view operation;
  std::string_view outer;
  std::string_view inner;
  bool name_follows = false;
  int depth = 0;
  for (std::string_view token = tokens.next(); !token.empty(); token = tokens.next()) {
    if (token == "(" || token == ")") {
      depth += token == "(" ? 1 : -1;
      name_follows = false;
    } else if (name_follows && !is_one_of(kNoNames, token)) {
      std::string_view& table = depth == 0 ? outer : inner;
      if (table.empty()) table = token;
      name_follows = false;
    } else if (!name_follows) {
      if (depth == 0 && operation.empty() && is_one_of(kOperations, token)) operation = token;
      name_follows = is_one_of(kBeforeTable, token);
    }
  }
  const std::string_view table = outer.empty() ? inner : outer;
  return {std::string(operation.empty() ? "other" : operation),
          std::string(table.empty() ? "none" : table)};
}

void QueryTimes::watch_this_thread() noexcept {
  watcher = this;
}

QueryTimes::Statement::Statement(std::string_view statement)
    : times_(watcher),
      statement_(statement),
      since_us_(times_ == nullptr ? 0 : times_->clock_.monotonic_us()) {}

QueryTimes::Statement::~Statement() {
  if (times_ == nullptr) return;
  const std::int64_t took_us = times_->clock_.monotonic_us() - since_us_;
  times_->series(statement_).observe(static_cast<double>(took_us) * 1e-6);
}

Histogram& QueryTimes::series(std::string_view statement) {
  QuerySubject subject = query_subject(statement);
  const MutexLock lock(mutex_);
  if (series_.size() >= subjects_max_ && !series_.contains(subject)) subject = {"other", "none"};
  Histogram*& histogram = series_[subject];
  if (histogram == nullptr) {
    histogram = &counters_.histogram(
        "database_query_duration_seconds",
        "From a statement's sending to the end of its answer.",
        {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5},
        "{operation=\"" + subject.operation + "\",table=\"" + subject.table + "\"}");
  }
  return *histogram;
}

}  // namespace qylon::storage
