#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/result.hpp"
#include "media/audio_format.hpp"
#include "media/block.hpp"

namespace qylon::media {

/// The GStreamer graph of one track, pushed from the caller's thread (no thread of its own):
/// decode -> resample -> front end -> voice activity -> 10 ms blocks.
///
/// Input   : packets in order, as the jitter buffer releases them, with losses and gaps told.
/// Output  : Block after Block on `sink`, from within push(), conceal(), silence() and flush().
/// Threads : one thread at a time. gst_init() happened before (init_graphs()).
/// Errors  : push() kInvalidArgument for a packet the decoder refuses; it counts as lost and its
///           time is concealed, so the track's clock never slips.
class StreamGraph {
 public:
  /// For a process that lives on our own elements alone, as the server does: GStreamer will neither
  /// look for nor load any plugin. Call before init_graphs() and before any thread starts.
  static void restrict_plugins();
  /// Initialises GStreamer, registers our elements and runs one graph of each kind, so that no
  /// stream pays for first use. Call once, at start, on main.
  /// Errors: kUnavailable when GStreamer or one of the graphs does not work.
  static Status init_graphs();

  /// `sink` must outlive the graph.
  static Result<std::unique_ptr<StreamGraph>> create(const AudioFormat& format, BlockSink& sink);

  StreamGraph() = default;
  virtual ~StreamGraph() = default;
  StreamGraph(const StreamGraph&) = delete;
  StreamGraph& operator=(const StreamGraph&) = delete;
  StreamGraph(StreamGraph&&) = delete;
  StreamGraph& operator=(StreamGraph&&) = delete;

  /// Duration of `packet` in samples at 16 kHz (rounded down), from its header or size; 0 when it
  /// is not a packet of this format.
  virtual std::int64_t packet_samples(std::span<const std::uint8_t> packet) const noexcept = 0;
  /// Decodes one packet.
  virtual Status push(std::span<const std::uint8_t> packet) = 0;
  /// `samples` [16 kHz] were lost. `next` is the packet after them, if known: what it repeats of
  /// them (Opus in-band FEC) is decoded; of the rest up to 120 ms are concealed by the decoder, and
  /// then comes silence.
  virtual void conceal(std::int64_t samples, std::span<const std::uint8_t> next) = 0;
  /// Nothing was sent for `samples` [16 kHz]: exact zeros enter the front end.
  virtual void silence(std::int64_t samples) = 0;
  /// Pads the last partial block with zeros and delivers it. push() may follow.
  virtual void flush() = 0;
};

}  // namespace qylon::media
