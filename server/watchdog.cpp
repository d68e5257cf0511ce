#include "server/watchdog.hpp"

#include <utility>

namespace qylon::server {

Watchdog::Watchdog(std::int64_t patience_us, std::vector<Subject> subjects, const Parts& parts)
    : patience_us_(patience_us),
      subjects_(std::move(subjects)),
      parts_(parts),
      stalled_(parts.counters.gauge("qylon_threads_stalled",
                                    "Kinds of threads that owe the watchdog an answer")),
      questions_(subjects_.size()) {}

bool Watchdog::check() {
  const std::int64_t now_us = parts_.clock.monotonic_us();
  std::int64_t stalled = 0;
  for (std::size_t i = 0; i < subjects_.size(); ++i) {
    if (!is_alive(subjects_[i], questions_[i], now_us)) ++stalled;
  }
  stalled_.set(stalled);
  return stalled == 0;
}

bool Watchdog::is_alive(const Subject& subject, Question& question, std::int64_t now_us) {
  if (question.token.expired()) {
    const auto token = std::make_shared<char>();
    question = {token, now_us, false};
    subject.ask(token);
    return true;
  }
  if (now_us - question.asked_us <= patience_us_) return true;
  if (!std::exchange(question.reported, true)) {
    parts_.log.error("thread.stalled",
                     {{"thread", subject.name},
                      {"silent_ms", std::to_string((now_us - question.asked_us) / 1000)}});
  }
  return false;
}

}  // namespace qylon::server
