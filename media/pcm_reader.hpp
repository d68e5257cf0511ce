#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/result.hpp"
#include "media/sample_pipeline.hpp"

namespace qylon::media {

/// Reads the sound of any file that the installed GStreamer plugins decode, for tools: it blocks on
/// the disk and runs GStreamer's own threads, so it has no place on a live path.
///
/// Output  : float32[n] mono, full scale +-1, at Options::sample_rate_hz; channels are mixed down.
///           Holes between time stamps become exact silence, so sample n is n / rate seconds in.
/// Cost    : reads ahead at most 16 decoded buffers.
/// Threads : one thread at a time.
/// Errors  : create() kNotFound when the file cannot be opened, kInvalidArgument when it holds no
///           sound or no installed plugin decodes it (the message names what is missing);
///           read() kInvalidArgument when the file breaks off in the middle, kUnavailable when the
///           decoder gives nothing for 10 s.
class PcmReader {
 public:
  struct Options {
    std::string path;
    int sample_rate_hz = 16000;  ///< 8000..48000.
  };
  static Result<PcmReader> create(const Options& options);

  /// Fills `out` and returns how many samples it wrote: fewer than out.size() only at the end of
  /// the file, after which it returns 0.
  Result<std::size_t> read(std::span<float> out);

  /// Length of the file, when its container tells.
  std::optional<std::int64_t> duration_ms() const { return pipeline_.duration_ms(); }

 private:
  PcmReader(std::string path, SamplePipeline pipeline);
  Status next_chunk();

  std::string path_;  // Constant after construction.
  SamplePipeline pipeline_;
  SamplePipeline::Chunk chunk_;
  std::size_t chunk_at_ = 0;  // Samples of chunk_ already read.
  bool ended_ = false;
};

}  // namespace qylon::media
