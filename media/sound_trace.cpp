#include "media/sound_trace.hpp"

#include <algorithm>
#include <cmath>

#include "core/check.hpp"

namespace qylon::media {
namespace {

constexpr std::int64_t kRowsKept = 60'000 / SoundTrace::kFrameMs;
constexpr std::int64_t kRowSamples = SoundTrace::kFrameMs * kPipelineRateHz / 1000;
// Below this much under its loudest a band holds the room, not the speech.
constexpr int kRangeDb = 30;
// Rows within this much of the loudest say how much louder one track is than the other.
constexpr float kLoudDb = 20.0F;
// Rows within this much of the loudest are a word, not what is left of one.
constexpr float kOwnLoudDb = 12.0F;
constexpr std::int64_t kEchoRows = 8;

dsp::LogMel front_end() {
  dsp::LogMel::Options options;
  options.mels = static_cast<int>(SoundTrace::kBands);
  options.f_min_hz = 200.0F;  // What a telephone lets through.
  options.f_max_hz = 3800.0F;
  options.pre_emphasis = 0.0F;
  options.window = dsp::LogMel::Window::kHann;
  options.scale = dsp::LogMel::Scale::kDecibel;
  auto created = dsp::LogMel::create(options);
  QYLON_CHECK(created);  // Constant options.
  return *std::move(created);
}

float level(const SoundTrace::Frame& frame) {
  int sum = 0;
  for (const std::int8_t band : frame)
    sum += band;
  return static_cast<float>(sum) / static_cast<float>(SoundTrace::kBands);
}

/// One band of a stretch, no lower than kRangeDb under its loudest.
class Band {
 public:
  Band(const SoundStretch& stretch, std::size_t band) : stretch_(stretch), band_(band) {
    int loudest = -128;
    for (std::int64_t i = 0; i < stretch.rows; ++i)
      loudest = std::max<int>(loudest, raw(i));
    floor_ = loudest - kRangeDb;
  }
  float operator()(std::int64_t i) const { return static_cast<float>(std::max(raw(i), floor_)); }

 private:
  int raw(std::int64_t i) const { return stretch_.sound.at(stretch_.from + i)[band_]; }

  const SoundStretch& stretch_;
  const std::size_t band_;
  int floor_ = -128;
};

/// Correlation over all bands at once, each without its mean: which vowel it is counts as much as
/// when somebody speaks.
float likeness(const SoundStretch& a, const SoundStretch& b) {
  const auto count = static_cast<float>(a.rows);
  float ab = 0;
  float aa = 0;
  float bb = 0;
  for (std::size_t k = 0; k < SoundTrace::kBands; ++k) {
    const Band in_a(a, k);
    const Band in_b(b, k);
    float sum_a = 0;
    float sum_b = 0;
    for (std::int64_t i = 0; i < a.rows; ++i) {
      const float x = in_a(i);
      const float y = in_b(i);
      sum_a += x;
      sum_b += y;
      ab += x * y;
      aa += x * x;
      bb += y * y;
    }
    ab -= sum_a * sum_b / count;
    aa -= sum_a * sum_a / count;
    bb -= sum_b * sum_b / count;
  }
  const float scale = std::sqrt(std::max(aa, 0.0F) * std::max(bb, 0.0F));
  return scale < 1.0F ? 0.0F : ab / scale;
}

float loudest_level(const SoundStretch& stretch) {
  float loudest = -128;
  for (std::int64_t i = 0; i < stretch.rows; ++i)
    loudest = std::max(loudest, level(stretch.sound.at(stretch.from + i)));
  return loudest;
}

float median_gain(const SoundStretch& a, const SoundStretch& b) {
  const float loudest = loudest_level(b);
  std::vector<float> gains;
  for (std::int64_t i = 0; i < b.rows; ++i) {
    const float of_b = level(b.sound.at(b.from + i));
    if (of_b > loudest - kLoudDb) gains.push_back(level(a.sound.at(a.from + i)) - of_b);
  }
  const auto middle = gains.begin() + static_cast<std::ptrdiff_t>(gains.size() / 2);
  std::nth_element(gains.begin(), middle, gains.end());
  return *middle;
}

}  // namespace

SoundTrace::SoundTrace() : log_mel_(front_end()), frames_(static_cast<std::size_t>(kRowsKept)) {}

std::size_t SoundTrace::slot(std::int64_t row) noexcept {
  return static_cast<std::size_t>(((row % kRowsKept) + kRowsKept) % kRowsKept);
}

void SoundTrace::append(const Frame& frame) noexcept {
  frames_[slot(end_++)] = frame;
  begin_ = std::max(begin_, end_ - kRowsKept);
}

void SoundTrace::jump_to(std::int64_t start_sample) {
  log_mel_.reset();
  odd_ = false;
  const std::int64_t row = start_sample / kRowSamples;
  if (next_sample_ < 0 || row < end_ || row - end_ >= kRowsKept) {
    begin_ = end_ = row;
    return;
  }
  Frame silence;
  silence.fill(-100);
  while (end_ < row)
    append(silence);
}

void SoundTrace::push(std::int64_t start_sample, std::span<const float, kBlockSamples> samples) {
  if (start_sample != next_sample_) jump_to(start_sample);
  next_sample_ = start_sample + kBlockSamples;
  log_mel_.push(samples, [this](std::span<const float> mel_db) {
    odd_ = !odd_;
    if (!odd_) return;
    Frame frame;
    for (std::size_t k = 0; k < kBands; ++k)
      frame[k] = static_cast<std::int8_t>(std::lround(std::clamp(mel_db[k], -100.0F, 100.0F)));
    append(frame);
  });
}

std::optional<SoundMatch> match_sound(const SoundStretch& stretch,
                                      const SoundTrace& other,
                                      std::int64_t other_from,
                                      std::int64_t lag_max) {
  std::optional<SoundMatch> best;
  for (std::int64_t lag = -lag_max; lag <= lag_max; ++lag) {
    const SoundStretch there{other, other_from - lag, stretch.rows};
    if (there.from < other.begin() || there.from + there.rows > other.end()) continue;
    const float alike = likeness(stretch, there);
    if (!best || alike > best->likeness) best = SoundMatch{alike, lag, 0};
  }
  if (best) best->gain_db = median_gain(stretch, {other, other_from - best->lag, stretch.rows});
  return best;
}

float level_above(const SoundStretch& stretch,
                  const SoundStretch& part,
                  const SoundTrace& other,
                  std::int64_t other_from,
                  const SoundMatch& match) {
  const float loudest = loudest_level(stretch);
  float sum = 0;
  int rows = 0;
  for (std::int64_t row = part.from; row < part.from + part.rows; ++row) {
    const float here = level(part.sound.at(row));
    if (here <= loudest - kOwnLoudDb) continue;
    const std::int64_t there = other_from - match.lag + row - stretch.from;
    const std::int64_t from = std::max(other.begin(), there - kEchoRows);
    const std::int64_t to = std::min(other.end(), there + 2);
    sum += here - match.gain_db - loudest_level({other, from, to - from});
    ++rows;
  }
  return rows == 0 ? -100.0F : sum / static_cast<float>(rows);
}

}  // namespace qylon::media
