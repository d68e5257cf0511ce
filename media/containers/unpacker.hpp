#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "media/containers/boundaries.hpp"
#include "media/containers/byte_source.hpp"
#include "media/containers/packet_output.hpp"

namespace qylon::media {

/// A stream of bytes in, packets out; and where a new one could go on if this one is lost.
///
/// Input   : pieces of any length, cut anywhere.
/// Bounds  : the header and one element of the stream.
/// Threads : one thread at a time; it starts none.
class Unpacker {
 public:
  struct Start {
    AudioFormat stream;  ///< Codec, and for streams that do not tell: rate and channels.
    /// To go on where an earlier one stopped; `offset` 0 and no header: from the beginning.
    std::vector<std::uint8_t> header;
    std::uint64_t offset = 0;
    std::uint64_t cluster_time = 0;  ///< Restart::cluster_time.
    PacketOutput::Resume resume;
  };
  /// REQUIRES: load_stream_plugins().
  explicit Unpacker(PacketSink& sink, Start start);

  /// Errors: kInvalidArgument for what is no such stream, kUnavailable for a missing decoder.
  Status push(std::span<const std::uint8_t> bytes);
  /// Nothing follows.
  void finish();

  /// Where a new unpacker may start.
  struct Restart {
    std::uint64_t header_bytes = 0;  ///< It needs these first, from the stream's beginning.
    std::uint64_t offset = 0;        ///< Then everything from here on.
    std::uint64_t cluster_time = 0;  ///< Boundaries::cluster_time() there.
    std::uint64_t units = 0;         ///< What this one found before that (PacketOutput::units()).
    std::int64_t time_us = 0;
  };
  const Restart& restart() const noexcept { return restart_; }
  std::uint64_t units() const noexcept { return output_.units(); }
  /// kAuto until the bytes told it.
  Codec codec() const noexcept { return start_.stream.codec; }

 private:
  Status take_unknown(std::span<const std::uint8_t> bytes);
  Status open();
  Status feed(std::span<const std::uint8_t> bytes);

  Start start_;
  PacketOutput output_;
  std::vector<std::uint8_t> unknown_;  // First bytes, until they tell what the stream is.
  std::uint64_t id3_left_ = 0;
  std::unique_ptr<ByteSource> source_;  // Null until the codec is known.
  std::optional<Boundaries> boundaries_;
  std::uint64_t offset_ = 0;
  std::uint64_t searched_ = 0;  // Bytes that the source was given.
  Restart restart_;
};

}  // namespace qylon::media
