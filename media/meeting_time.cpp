#include "media/meeting_time.hpp"

#include <algorithm>

namespace qylon::media {

MeetingTime::MeetingTime(const Clock& clock, std::optional<std::int64_t> started_us)
    : clock_(clock),
      started_(started_us.has_value()),
      since_us_(clock.monotonic_us()),
      at_since_ms_(started_ ? std::max<std::int64_t>(0, (clock.wall_us() - *started_us) / 1000)
                            : 0) {}

void MeetingTime::start() {
  started_ = true;
  since_us_ = clock_.monotonic_us();
}

std::int64_t MeetingTime::present_ms() const {
  if (!started_) return 0;
  return at_since_ms_ + (clock_.monotonic_us() - since_us_) / 1000;
}

std::int64_t MeetingTime::zero_ms(ClockId clock,
                                  std::optional<std::int64_t> told_ms,
                                  std::int64_t track_ms) {
  const auto known = zeros_ms_.find(clock);
  if (known != zeros_ms_.end()) return known->second;
  const std::int64_t zero = std::max(told_ms.value_or(present_ms()), track_ms);
  zeros_ms_[clock] = zero;
  return zero;
}

}  // namespace qylon::media
