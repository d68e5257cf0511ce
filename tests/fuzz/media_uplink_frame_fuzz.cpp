// Any bytes parse to a frame that encodes to the same bytes, or are refused with a reason.
#include <algorithm>

#include "core/check.hpp"
#include "media/uplink_frame.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  const auto frame = qylon::media::parse_uplink(bytes);
  if (frame) {
    QYLON_CHECK(std::ranges::equal(qylon::media::encode_uplink(*frame), bytes));
  } else {
    QYLON_CHECK(!frame.error().message.empty());
  }
  return 0;
}
