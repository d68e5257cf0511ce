#include "media/live_capture.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "media/sample_pipeline.hpp"

namespace qylon::media {
namespace {

/// One way to a sound server or card.
struct Way {
  std::string element;
  std::vector<std::pair<std::string, std::string>> properties;
};

/// Best first. PipeWire's own PulseAudio server answers pulsesrc as well, and knows monitors by a
/// name that every desktop has.
std::vector<Way> ways_to(const Capture::Options& options) {
  const bool desktop = options.kind == Capture::Kind::kDesktop;
  Way pulse{"pulsesrc", {{"client-name", "qylon uplink"}, {"latency-time", "20000"}}};
  Way pipewire{"pipewiresrc", {{"client-name", "qylon uplink"}}};
  Way alsa{"alsasrc", {{"latency-time", "20000"}}};
  if (!options.device.empty()) {
    pulse.properties.emplace_back("device", options.device);
    pipewire.properties.emplace_back("target-object", options.device);
    alsa.properties.emplace_back("device", options.device);
  } else if (desktop) {
    pulse.properties.emplace_back("device", "@DEFAULT_MONITOR@");
  }
  if (!desktop) return {pulse, pipewire, alsa};
  pipewire.properties.emplace_back("stream-properties", "props,stream.capture.sink=true");
  return {pulse, pipewire};
}

class LiveCapture final : public Capture {
 public:
  LiveCapture(std::string description, const Clock& clock, SamplePipeline pipeline)
      : description_(std::move(description)), clock_(clock), pipeline_(std::move(pipeline)) {}

  /// The device has begun: everything is there for pull().
  void start_with(const SamplePipeline::Chunk& first) {
    blocks_.add(first.samples, first.stamp_us);
  }

  Result<Pulled> pull(CaptureBlock& block) override {
    while (!blocks_.ready()) {
      const auto pulled = pipeline_.pull(chunk_, std::chrono::milliseconds{0});
      if (!pulled) return Error{ErrorCode::kUnavailable, pulled.error().message};
      if (*pulled == SamplePipeline::Pulled::kNothing) return Pulled::kLater;
      if (*pulled == SamplePipeline::Pulled::kEnd) {
        return Error{ErrorCode::kUnavailable, description_ + " has stopped giving sound"};
      }
      blocks_.add(chunk_.samples, chunk_.stamp_us);
    }
    blocks_.take(block);
    return Pulled::kBlock;
  }

  std::int64_t due_us() const override { return clock_.monotonic_us() + kCaptureBlockUs / 2; }
  std::optional<std::int64_t> duration_ms() const override { return std::nullopt; }
  std::string description() const override { return description_; }

 private:
  const std::string description_;
  const Clock& clock_;
  SamplePipeline pipeline_;
  SamplePipeline::Chunk chunk_;
  CaptureBlocks blocks_;
};

/// Succeeds once the first sound is there: some sources start well and then give nothing for ever.
Result<std::unique_ptr<Capture>> try_way(const Way& way,
                                         const std::string& name,
                                         const Clock& clock) {
  constexpr std::chrono::seconds kFirstSoundMax{3};
  auto pipeline = SamplePipeline::create(
      {.head = way.element + " name=source ! audioconvert ! audioresample",
       .name = name,
       .sample_rate_hz = kCaptureRateHz,
       .buffers_max = 200,  // 4 s of 20 ms, should this process be stopped for a while.
       .live = true,
       .source_properties = way.properties});
  if (!pipeline) return pipeline.error();
  SamplePipeline::Chunk first;
  const auto pulled = pipeline->pull(first, kFirstSoundMax);
  if (!pulled) return pulled.error();
  if (*pulled != SamplePipeline::Pulled::kChunk) {
    return Error{ErrorCode::kUnavailable, name + " gives no sound"};
  }
  auto capture =
      std::make_unique<LiveCapture>(name + " (" + way.element + ")", clock, *std::move(pipeline));
  capture->start_with(first);
  return std::unique_ptr<Capture>(std::move(capture));
}

}  // namespace

Result<std::unique_ptr<Capture>> open_live_capture(const Capture::Options& options,
                                                   const Clock& clock) {
  const std::string name = options.kind == Capture::Kind::kDesktop ? "desktop sound" : "microphone";
  std::string tried;
  for (const Way& way : ways_to(options)) {
    auto capture = try_way(way, name, clock);
    if (capture) return capture;
    tried += "\n  " + way.element + ": " + capture.error().message;
  }
  return Error{ErrorCode::kUnavailable,
               "no " + name +
                   ": neither PulseAudio nor PipeWire answers on this machine, or they have no "
                   "such device. Run this inside a desktop session, or name a source with "
                   "--device (pactl list short sources). Tried:" +
                   tried};
}

}  // namespace qylon::media
