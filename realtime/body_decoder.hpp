#pragma once
/// The body of a request, freed from what says where it ends.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "realtime/chunk_decoder.hpp"
#include "realtime/request_rules.hpp"

namespace qylon::realtime {

/// Threads : one object per request, its net thread.
/// Source  : RFC 9112 section 6.3.
class BodyDecoder {
 public:
  using State = ChunkDecoder::State;

  /// A chunked body over `body_bytes_max` is kTooLong; a length was judged by plan_body().
  BodyDecoder(const BodyPlan& plan, std::uint64_t body_bytes_max);

  /// Appends the bytes of the body to `body`. After anything but kMore nothing more is read; what
  /// follows the body in `bytes` is ignored.
  State feed(std::string_view bytes, std::string& body);
  bool is_chunked() const noexcept { return chunks_.has_value(); }
  /// True when the connection's end is the body's end.
  bool ends_with_connection() const noexcept { return until_close_; }

 private:
  std::optional<ChunkDecoder> chunks_;
  const bool until_close_;  // Constant after construction.
  std::uint64_t left_ = 0;  // Of a body with a length.
};

}  // namespace qylon::realtime
