#include "bench/chaosproxy/delay_line.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace qylon::chaosproxy {
namespace {

// A slow line sends in packets, not bytes.
constexpr std::size_t kPacketBytes = 1'400;

}  // namespace

void DelayLine::push(std::span<const char> bytes, const Weather& weather, std::int64_t now_us) {
  QYLON_CHECK(bytes.size() <= room());
  if (bytes.empty()) return;
  std::int64_t delay_us = weather.latency_ms * 1000;
  if (weather.jitter_ms > 0)
    delay_us += static_cast<std::int64_t>(random_() %
                                          static_cast<std::uint64_t>(weather.jitter_ms * 1000 + 1));
  newest_due_us_ = std::max(newest_due_us_, now_us + delay_us);
  pieces_.push_back({std::string(bytes.data(), bytes.size()), 0, newest_due_us_});
  held_ += bytes.size();
}

std::span<const char> DelayLine::ready(const Weather& weather, std::int64_t now_us) {
  if (pieces_.empty() || now_us < due_us()) return {};
  const Piece& piece = pieces_.front();
  std::span<const char> bytes(piece.bytes);
  bytes = bytes.subspan(piece.taken);
  return weather.rate_bps > 0 ? bytes.first(std::min(bytes.size(), kPacketBytes)) : bytes;
}

void DelayLine::pop(std::size_t bytes, const Weather& weather, std::int64_t now_us) {
  Piece& piece = pieces_.front();
  QYLON_CHECK(bytes <= piece.bytes.size() - piece.taken);
  piece.taken += bytes;
  held_ -= bytes;
  passed_ += bytes;
  if (piece.taken == piece.bytes.size()) pieces_.pop_front();
  if (weather.rate_bps == 0) return;
  const auto line_us = static_cast<std::int64_t>(bytes) * 8 * 1'000'000 / weather.rate_bps;
  line_free_us_ = std::max(line_free_us_, now_us) + line_us;
}

std::int64_t DelayLine::due_us() const noexcept {
  return pieces_.empty() ? kNever : std::max(pieces_.front().due_us, line_free_us_);
}

}  // namespace qylon::chaosproxy
