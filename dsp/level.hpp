#pragma once

#include <span>

namespace qylon::dsp {

inline constexpr float kSilenceDbfs = -100.0F;

struct Level {
  float rms_dbfs = kSilenceDbfs;   ///< [-100, ...]; a full-scale sine is -3.01.
  float peak_dbfs = kSilenceDbfs;  ///< [-100, ...]; a full-scale sine is 0.
  bool clipped = false;            ///< Three samples or more reach full scale (0.999).
};

/// Level of `samples` (mono float32, full scale +-1). Silence, no samples and samples that are not
/// numbers give -100 dB.
///
/// Threads : any; a pure function.
Level measure_level(std::span<const float> samples) noexcept;

}  // namespace qylon::dsp
