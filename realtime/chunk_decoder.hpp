#pragma once
/// Transfer-Encoding: chunked, which libwebsockets 4.1.6 hands over undecoded.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace qylon::realtime {

/// Strict: CRLF only, hexadecimal size of at most 8 digits, extensions and trailers are read and
/// thrown away within a bound. Anything else is an error, because a lenient reader is what request
/// smuggling needs.
///
/// Cost    : a few operations a framing byte, one append a run of data.
/// Threads : one object per request, its net thread.
/// Source  : RFC 9112 section 7.1.
class ChunkDecoder {
 public:
  enum class State : std::uint8_t { kMore, kDone, kBad, kTooLong };

  /// Bodies over `body_bytes_max` are kTooLong.
  explicit ChunkDecoder(std::uint64_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  /// Appends decoded bytes to `body`. After kDone, kBad or kTooLong nothing more is read; what
  /// follows the last chunk in `bytes` is ignored.
  State feed(std::string_view bytes, std::string& body);

 private:
  enum class Part : std::uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailer,
    kTrailerLf,
    kDone,
  };
  State step(char c);
  State step_size(char c);
  State end_size();
  State skip_until_cr(char c, Part next);

  static constexpr std::size_t kSkippedBytesMax = 8192;  // Extensions and trailers together.

  const std::uint64_t body_bytes_max_;  // Constant after construction.
  Part part_ = Part::kSize;
  State state_ = State::kMore;
  std::uint64_t chunk_left_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::size_t skipped_bytes_ = 0;
  int digits_ = 0;
  bool line_is_empty_ = true;  // Of a trailer.
};

}  // namespace qylon::realtime
