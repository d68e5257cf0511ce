/// Any bytes as the head of a source client: the result does not depend on how they are cut, and
/// what was read can be asked for an upload.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.hpp"
#include "realtime/source_request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qylon::realtime::SourceRequest;
  using State = SourceRequest::State;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  SourceRequest whole;
  const State state = whole.feed(bytes);
  SourceRequest cut;
  State cut_state = State::kMore;
  for (std::size_t i = 0; i < size && cut_state == State::kMore; ++i)
    cut_state = cut.feed(bytes.substr(i, 1));
  // A head within the bound is judged the same; beyond it the pieces are refused earlier.
  QYLON_CHECK(size > 8192 || size == 0 || state == cut_state);
  if (state != State::kWhole) return 0;
  const auto& head = whole.head();
  static_cast<void>(qylon::realtime::ingest_token(head.request.authorization));
  if (qylon::realtime::is_ingest_path(head.request.path))
    static_cast<void>(qylon::realtime::read_ingest_request(head));
  return 0;
}
