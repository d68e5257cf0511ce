#pragma once
/// Ten milliseconds of a track as the graph hands it to the shard: the unit of everything after it.

#include <array>
#include <cstdint>

namespace qylon::media {

inline constexpr int kPipelineRateHz = 16000;
inline constexpr int kBlockSamples = 160;

struct Block {
  std::int64_t start_sample = 0;  ///< On the track's own 16 kHz clock; rises by kBlockSamples.
  std::array<float, kBlockSamples> samples{};  ///< Mono, full scale +-1, high-passed.
  float speech_probability = 0.0F;             ///< [0, 1].
  float rms_dbfs = -100.0F;                    ///< [-100, 0], before the high-pass.
  float peak_dbfs = -100.0F;                   ///< [-100, 0], before the high-pass.
  float momentary_lufs = -100.0F;              ///< EBU R128, the last 400 ms before the high-pass.
  bool clipped = false;                        ///< Several samples at full scale.
  bool concealed = false;  ///< Invented: concealment of a loss, or a gap's silence.
};

/// Threads: called by the graph on the thread that pushes into it.
class BlockSink {
 public:
  BlockSink() = default;
  virtual ~BlockSink() = default;
  BlockSink(const BlockSink&) = delete;
  BlockSink& operator=(const BlockSink&) = delete;
  BlockSink(BlockSink&&) = delete;
  BlockSink& operator=(BlockSink&&) = delete;

  virtual void on_block(const Block& block) noexcept = 0;
};

}  // namespace qylon::media
