#include "api/meeting_ends.hpp"

#include <chrono>
#include <utility>

#include "api/http_answers.hpp"
#include "api/meeting_json.hpp"

namespace qylon::api {
namespace {

constexpr auto kExpiryInterval = std::chrono::milliseconds(100);

}  // namespace

MeetingEnds::MeetingEnds(const Options& options, const Clock& clock)
    : options_(options),
      clock_(clock),
      waits_(options.waits_max),
      thread_([this](const std::stop_token& stop) { expire_until(stop); }) {}

MeetingEnds::~MeetingEnds() {
  thread_.request_stop();
  wake();
}

std::optional<EndWaits::Ticket> MeetingEnds::add(const MeetingInfo& meeting, HttpReply reply) {
  const std::int64_t deadline_us = clock_.monotonic_us() + options_.wait_ms * 1000;
  const auto ticket = waits_.add({meeting, std::move(reply), deadline_us});
  if (ticket) wake();
  return ticket;
}

void MeetingEnds::answer(EndWaits::Ticket ticket, HttpResponse response) {
  const auto wait = waits_.take(ticket);
  if (wait) wait->reply(std::move(response));
}

void MeetingEnds::expire_until(const std::stop_token& stop) {
  while (true) {
    for (EndWaits::Wait& wait : waits_.take_expired(clock_.monotonic_us())) {
      wait.reply(json_answer(202, meeting_to_json(wait.meeting)));
    }
    const MutexLock lock(mutex_);
    if (stop.stop_requested()) return;
    if (waits_.empty()) {
      wake_.wait(mutex_);
    } else {
      wake_.wait_for(mutex_, kExpiryInterval);
    }
  }
}

void MeetingEnds::wake() {
  const MutexLock lock(mutex_);
  wake_.notify_one();
}

}  // namespace qylon::api
