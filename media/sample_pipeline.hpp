#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace qylon::media {

/// A GStreamer pipeline whose sound is taken out at its end, for tools (files, microphones): it
/// runs GStreamer's own threads and has no place on a live path of the server.
///
/// Output  : float32 mono, full scale +-1, in chunks of the pipeline's making.
/// Bounds  : at most `buffers_max` chunks wait; then a file's decoder waits too, and a live source
///           drops the oldest, which shows as a step in the time stamps.
/// Threads : one thread at a time.
class SamplePipeline {
 public:
  struct Options {
    std::string head;  ///< Elements up to raw audio, one of them with name=source.
    std::string name;  ///< What is read, for error messages: a path, "microphone".
    int sample_rate_hz = 16000;
    unsigned buffers_max = 16;
    bool live = false;
    /// Properties of the element `source`, in GStreamer's text form.
    std::vector<std::pair<std::string, std::string>> source_properties;
  };
  struct Chunk {
    std::vector<float> samples;
    std::int64_t stamp_us = -1;  ///< Since the pipeline started; -1: unknown.
  };
  enum class Pulled : std::uint8_t { kChunk, kNothing, kEnd };

  /// Starts playing; errors of the source come with the first pull().
  /// Errors: kUnavailable when an element of `head` is not installed.
  static Result<SamplePipeline> create(const Options& options);

  SamplePipeline(SamplePipeline&& other) noexcept;
  SamplePipeline& operator=(SamplePipeline&& other) noexcept;
  SamplePipeline(const SamplePipeline&) = delete;
  SamplePipeline& operator=(const SamplePipeline&) = delete;
  ~SamplePipeline();

  /// Waits up to `timeout` for the next chunk.
  /// Errors: kInvalidArgument with the reason why nothing can be decoded or recorded; it names
  /// plugins that are not installed.
  Result<Pulled> pull(Chunk& chunk, std::chrono::milliseconds timeout);

  std::optional<std::int64_t> duration_ms() const;

 private:
  struct Graph;
  explicit SamplePipeline(std::unique_ptr<Graph> graph);

  std::unique_ptr<Graph> graph_;
};

}  // namespace qylon::media
