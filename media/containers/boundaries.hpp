#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/result.hpp"
#include "media/audio_format.hpp"

namespace qylon::media {

/// Finds the places in a stream of bytes where a new reader, given the stream's header, can go on:
/// what makes the loss of a worker cheap. Knows lengths of elements only, never what is in them.
///
/// Cost    : a few instructions an element; no memory beyond one element's head.
/// Threads : one thread at a time.
/// Source  : RFC 8794 (EBML; Matroska elements RFC 9559 section 5), ISO 14496-12 section 4.2 (MP4
///           boxes), RFC 3533 section 6 (Ogg pages), RFC 9639 section 8 (FLAC metadata), RIFF.
class Boundaries {
 public:
  /// REQUIRES: a stream codec other than kAuto.
  explicit Boundaries(const AudioFormat& stream)
      : codec_(stream.codec), sample_bytes_(static_cast<std::uint64_t>(stream.channels)) {}

  struct Step {
    std::size_t bytes = 0;  ///< How much was looked at, at least 1.
    bool boundary = false;  ///< A new reader could go on behind them.
  };
  /// Looks at the stream's next bytes, at most up to the next boundary. REQUIRES: not empty.
  /// Errors: kInvalidArgument for an MP4 that can only be read when it is complete.
  Result<Step> next(std::span<const std::uint8_t> bytes);

  /// Length of the header: what a new reader needs first. Codecs without one have 0.
  std::uint64_t header_bytes() const noexcept { return header_bytes_; }
  /// Matroska: timestamp of the cluster that the last bytes were in, which its blocks count from.
  std::uint64_t cluster_time() const noexcept { return cluster_time_; }

 private:
  /// What an element's head says.
  struct Element {
    std::uint64_t skip = 0;  // Bytes that follow its head.
    bool boundary = false;   // Behind it.
  };
  Status read_head();
  void read_ebml();
  Status read_box();
  void read_chunk();
  void read_flac();
  void read_page();
  void begin(const Element& element);
  void end_header(std::uint64_t offset);
  std::size_t free_run(std::size_t bytes);

  const Codec codec_;
  std::array<std::uint8_t, 512> head_{};
  std::size_t head_bytes_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t skip_ = 0;
  bool boundary_behind_ = false;
  bool in_element_ = false;
  bool free_running_ = false;  // From here on every sample's end is a boundary.
  bool lost_ = false;          // An element without a known length: no more boundaries.
  bool header_known_ = false;
  std::uint64_t header_bytes_ = 0;
  std::uint64_t sample_bytes_;  // WAV, G.711: bytes of a sample over all channels.
  std::uint64_t cluster_time_ = 0;
  int header_packets_ = 0;  // Ogg: packets complete so far.
};

}  // namespace qylon::media
