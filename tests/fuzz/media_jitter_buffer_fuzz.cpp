// Eight bytes are one step: an insert, a tick or a flush. Frames come out in rising order and at
// most once, no time is negative, and what waits stays within its bound.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "core/check.hpp"
#include "media/jitter_buffer.hpp"

namespace {

using qylon::media::JitterBuffer;
using qylon::media::UplinkFrame;

struct FrameObserver {
  std::optional<std::uint64_t> last_seq;
  std::size_t taken = 0;
  std::size_t delivered = 0;

  void operator()(JitterBuffer::Output&& output) {
    if (output.kind != JitterBuffer::Output::Kind::kFrame) {
      QYLON_CHECK(output.duration_us > 0);
      return;
    }
    QYLON_CHECK(!last_seq || output.frame.seq > *last_seq);
    last_seq = output.frame.seq;
    ++delivered;
  }
};

UplinkFrame make_frame(std::span<const std::uint8_t> step) {
  UplinkFrame frame;
  frame.flags = step[0] >> 7;
  // A near seq and capture time, or one at the far end of the range.
  const std::uint64_t base =
      (step[1] & 0x80) != 0 ? qylon::media::kUplinkNumberMax - (1U << 22) : 0;
  frame.seq = base + (step[1] & 0x03U) * 256U + step[2];
  frame.capture_us = base + (static_cast<std::uint64_t>(step[3]) << 16 | step[4] << 8 | step[5]);
  if (step[6] != 0) frame.payload = {step[7]};
  return frame;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FrameObserver observer;
  JitterBuffer buffer(
      {200, 60, 10'000, 16},
      [](const UplinkFrame& frame) { return std::int64_t{frame.payload[0]} * 2'500 / 4; },
      [&observer](JitterBuffer::Output&& output) { observer(std::move(output)); });
  std::int64_t now_us = 0;
  for (std::span<const std::uint8_t> rest(data, size); rest.size() >= 8; rest = rest.subspan(8)) {
    now_us += rest[7] * 1'000;
    const std::uint64_t next_seq = buffer.next_seq();
    if ((rest[0] & 0x0F) == 0x0F) {
      buffer.flush();
    } else if ((rest[0] & 0x0F) == 0x0E) {
      buffer.tick(now_us);
    } else if (buffer.insert(make_frame(rest), now_us) == JitterBuffer::Inserted::kTaken) {
      ++observer.taken;
    }
    QYLON_CHECK(buffer.next_seq() >= next_seq);
    QYLON_CHECK(observer.delivered <= observer.taken);
  }
  buffer.flush();
  return 0;
}
