// qylonresample: PCM of any accepted layout to 16 kHz mono float32.
#include "dsp/resampler.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "dsp/pcm.hpp"
#include "media/audio_format.hpp"
#include "media/elements/transform.hpp"

namespace qylon::media {
namespace {

class ResamplerTransform final : public Transform {
 public:
  explicit ResamplerTransform(GstPad* source) : output_(source, kPieceSamplesMax) {}

  bool set_caps(const GstStructure& caps) override {
    const gchar* const name = gst_structure_get_string(&caps, "format");
    if (name == nullptr) return false;
    format_.codec = std::string_view(name) == "F32LE" ? Codec::kPcmF32le : Codec::kPcmS16le;
    if (gst_structure_get_int(&caps, "rate", &format_.sample_rate_hz) == FALSE) return false;
    if (gst_structure_get_int(&caps, "channels", &format_.channels) == FALSE) return false;
    auto resampler = dsp::Resampler::create({format_.sample_rate_hz, int{kElementRateHz}});
    if (!resampler) return false;
    resampler_ = *std::move(resampler);
    // 20 ms of input give as much output as one buffer holds.
    chunk_frames_ = static_cast<std::size_t>(format_.sample_rate_hz) / 50;
    interleaved_.resize(chunk_frames_ * static_cast<std::size_t>(format_.channels));
    return true;
  }

  GstFlowReturn process(BufferPtr buffer) override {
    if (!resampler_) return GST_FLOW_NOT_NEGOTIATED;
    output_.start_at(GST_BUFFER_PTS(buffer.get()));
    const BufferView view(buffer.get());
    const std::size_t chunk_bytes = chunk_frames_ * sample_frame_bytes(format_);
    GstFlowReturn flow = GST_FLOW_OK;
    for (auto rest = view.bytes(); !rest.empty() && flow >= GST_FLOW_OK;) {
      const auto chunk = rest.first(std::min(rest.size(), chunk_bytes));
      rest = rest.subspan(chunk.size());
      flow = resample(chunk, view.invented());
    }
    return flow;
  }

  /// The filter's tail sounds into the pause; after it, exact zeros. The pause ends where the sum
  /// of all durations says, so that rounding at its begin does not add up.
  GstFlowReturn gap(std::int64_t samples, bool /*lost*/) override {
    if (!resampler_) return GST_FLOW_OK;
    gap_total_ += samples;
    const std::int64_t rate_hz = format_.sample_rate_hz;
    const std::int64_t end = gap_total_ + (input_total_ * kElementRateHz + rate_hz - 1) / rate_hz;
    if (end <= output_total_) return GST_FLOW_OK;
    const std::int64_t tail =
        std::min(end - output_total_, static_cast<std::int64_t>(resampler_->latency_samples()));
    const std::int64_t zeros = end - output_total_ - tail;
    const GstFlowReturn flow = push_tail(tail);
    if (flow < GST_FLOW_OK) return flow;
    resampler_->reset();
    output_total_ += zeros;
    return output_.push_zeros(zeros);
  }

  GstFlowReturn drain() override { return GST_FLOW_OK; }

  void reset() override {
    if (resampler_) resampler_->reset();
    output_.reset();
    input_total_ = output_total_ = gap_total_ = 0;
  }

 private:
  GstFlowReturn resample(std::span<const std::uint8_t> bytes, bool invented) {
    const auto channels = static_cast<std::size_t>(format_.channels);
    const std::size_t frames = bytes.size() / sample_frame_bytes(format_);
    const auto interleaved = std::span(interleaved_).first(frames * channels);
    const auto whole = bytes.first(frames * sample_frame_bytes(format_));
    if (format_.codec == Codec::kPcmF32le) {
      dsp::f32le_to_float(whole, interleaved);
    } else {
      dsp::s16le_to_float(whole, interleaved);
    }
    const auto mono = interleaved.first(frames);
    if (channels > 1) dsp::mix_to_mono(interleaved, format_.channels, mono);
    input_total_ += static_cast<std::int64_t>(frames);
    return push_resampled(mono, resampler_->output_samples_max(frames), invented);
  }

  /// Pushes at most `samples_max` of what `mono` gives.
  GstFlowReturn push_resampled(std::span<const float> mono,
                               std::size_t samples_max,
                               bool invented) {
    const std::size_t samples = std::min(resampler_->process(mono, output_.room()), samples_max);
    output_total_ += static_cast<std::int64_t>(samples);
    return samples == 0 ? GST_FLOW_OK : output_.push(samples, invented);
  }

  GstFlowReturn push_tail(std::int64_t samples) {
    if (samples <= 0) return GST_FLOW_OK;
    // One input more than the ratio asks for covers the phase that the resampler stands at.
    const auto inputs =
        static_cast<std::size_t>(samples * format_.sample_rate_hz / kElementRateHz + 1);
    const auto zeros = std::span(interleaved_).first(std::min(inputs, chunk_frames_));
    std::ranges::fill(zeros, 0.0F);
    return push_resampled(zeros, static_cast<std::size_t>(samples), true);
  }

  AudioFormat format_;
  std::optional<dsp::Resampler> resampler_;
  std::size_t chunk_frames_ = 0;
  std::vector<float> interleaved_;
  SampleOutput output_;
  std::int64_t input_total_ = 0;   // Sample frames taken, at the input's rate.
  std::int64_t output_total_ = 0;  // Samples pushed.
  std::int64_t gap_total_ = 0;     // Samples of pauses, at 16 kHz.
};

}  // namespace

const ElementInfo kResamplerElement = {
    "qylonresample",
    "QylonResample",
    "Resampler for speech",
    "Filter/Converter/Audio",
    "Converts PCM to 16 kHz mono float (Kaiser-windowed sinc, aliases below -100 dB)",
    "audio/x-raw,format={S16LE,F32LE},layout=interleaved,channels={1,2},"
    "rate=[4000,192000]",
    [](GstPad* source) -> std::unique_ptr<Transform> {
      return std::make_unique<ResamplerTransform>(source);
    },
};

}  // namespace qylon::media
