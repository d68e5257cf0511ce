/// Any bytes as a chunked body: the result does not depend on how they are cut, and the body never
/// outgrows its limit.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.hpp"
#include "realtime/chunk_decoder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qylon::realtime::ChunkDecoder;
  constexpr std::size_t kBodyMax = 64;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ChunkDecoder whole(kBodyMax);
  std::string whole_body;
  const auto whole_state = whole.feed(bytes, whole_body);
  ChunkDecoder cut(kBodyMax);
  std::string cut_body;
  auto cut_state = ChunkDecoder::State::kMore;
  for (std::size_t i = 0; i < size; ++i)
    cut_state = cut.feed(bytes.substr(i, 1), cut_body);
  QYLON_CHECK(whole_state == cut_state);
  QYLON_CHECK(whole_body == cut_body);
  QYLON_CHECK(whole_body.size() <= kBodyMax);
  return 0;
}
