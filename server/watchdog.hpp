#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"

namespace qylon::server {

/// Asks threads for a sign of life. Only threads that must never block are asked: net threads and
/// shards; a journal or a database that waits for its disk is slow, not dead.
///
/// Cost    : one small task for each thread and check.
/// Threads : one, main.
class Watchdog {
 public:
  /// Something to be asked. `ask` hands copies of the token to every thread behind it; each thread
  /// drops its copy when it gets to it, and the answer is there when the last one is gone.
  struct Subject {
    std::string name;
    std::function<void(const std::shared_ptr<void>& token)> ask;
  };
  struct Parts {
    const Clock& clock;
    const Log& log;
    Counters& counters;
  };

  /// `patience_us`: how long an answer may take.
  Watchdog(std::int64_t patience_us, std::vector<Subject> subjects, const Parts& parts);

  /// Asks whoever has answered, and tells whether nobody owes an answer for too long.
  bool check();

 private:
  struct Question {
    std::weak_ptr<void> token;
    std::int64_t asked_us = 0;
    bool reported = false;
  };
  bool is_alive(const Subject& subject, Question& question, std::int64_t now_us);

  const std::int64_t patience_us_;
  const std::vector<Subject> subjects_;
  const Parts parts_;
  Gauge& stalled_;
  std::vector<Question> questions_;  // One for each subject.
};

}  // namespace qylon::server
