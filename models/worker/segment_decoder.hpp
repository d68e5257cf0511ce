#pragma once
/// What an engine does inside a worker process: one segment at a time.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "models/worker/messages.hpp"

namespace qylon::models {

/// Threads: the worker process has one. A crash or hang here costs the segment one retry.
class SegmentDecoder {
 public:
  SegmentDecoder() = default;
  virtual ~SegmentDecoder() = default;
  SegmentDecoder(const SegmentDecoder&) = delete;
  SegmentDecoder& operator=(const SegmentDecoder&) = delete;
  SegmentDecoder(SegmentDecoder&&) = delete;
  SegmentDecoder& operator=(SegmentDecoder&&) = delete;

  /// Expects `phrases` from now on. Called at most once, before the first segment. Returns how many
  /// phrases could not be used.
  virtual std::uint32_t set_vocabulary(const std::vector<std::string>& phrases) = 0;
  /// Starts a segment. The one before was finished or abandoned.
  virtual void begin(const SegmentSetup& setup) = 0;
  /// Live segments: words of `segment`, all audio so far, int16[samples] at 16 kHz, of which the
  /// last `fresh` samples are new.
  virtual std::vector<DecodedWord> advance(std::span<const std::int16_t> segment,
                                           std::size_t fresh) = 0;
  /// Ends the segment: the best reading of the whole `segment`, which may be shorter than what
  /// advance() saw. Nothing when the engine broke: the worker ends, the segment is tried on
  /// another.
  virtual std::optional<Decoded> finish(std::span<const std::int16_t> segment) = 0;
  /// Ends the segment without an answer.
  virtual void abandon() = 0;
};

/// Model in memory, shared by all workers through fork().
class DecoderModel {
 public:
  DecoderModel() = default;
  virtual ~DecoderModel() = default;
  DecoderModel(const DecoderModel&) = delete;
  DecoderModel& operator=(const DecoderModel&) = delete;
  DecoderModel(DecoderModel&&) = delete;
  DecoderModel& operator=(DecoderModel&&) = delete;

  /// Called once in each worker, after fork().
  virtual std::unique_ptr<SegmentDecoder> make_decoder() = 0;
};

}  // namespace qylon::models
