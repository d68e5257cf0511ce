// Any bytes are refused or give samples inside full scale, no more than are there.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.hpp"
#include "server/voice_clip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto samples = qylon::server::parse_wav({reinterpret_cast<const char*>(data), size});
  if (!samples) return 0;
  QYLON_CHECK(2 * samples->size() <= size);
  for (const float sample : *samples)
    QYLON_CHECK(std::abs(sample) <= 1.0F);
  return 0;
}
