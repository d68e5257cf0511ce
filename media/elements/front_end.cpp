// qylonfrontend: cuts 16 kHz audio into 10 ms blocks, measures their level and loudness and removes
// rumble.
#include <utility>

#include "dsp/highpass.hpp"
#include "dsp/level.hpp"
#include "dsp/loudness.hpp"
#include "media/elements/block_output.hpp"
#include "media/elements/transform.hpp"

namespace qylon::media {
namespace {

class FrontEndTransform final : public Transform, private BlockWorker {
 public:
  explicit FrontEndTransform(GstPad* source)
      : highpass_(dsp::Highpass::create({}).value()),
        loudness_(dsp::Loudness::create().value()),
        output_(source, *this) {}

  bool set_caps(const GstStructure& /*caps*/) override { return true; }

  GstFlowReturn process(BufferPtr buffer) override { return output_.push(std::move(buffer)); }
  GstFlowReturn gap(std::int64_t samples, bool /*lost*/) override {
    return output_.push_zeros(samples);
  }
  GstFlowReturn drain() override { return output_.drain(); }

  void reset() override {
    highpass_.reset();
    loudness_.reset();
    output_.reset();
  }

 private:
  void work(std::span<float> samples, std::span<BlockFacts> facts) override {
    for (std::size_t index = 0; index < facts.size(); ++index) {
      const auto level = dsp::measure_level(samples.subspan(index * kBlockSize, kBlockSize));
      facts[index].rms_dbfs = level.rms_dbfs;
      facts[index].peak_dbfs = level.peak_dbfs;
      facts[index].clipped = level.clipped;
      loudness_.process(samples.subspan(index * kBlockSize, kBlockSize));
      facts[index].momentary_lufs = loudness_.momentary_lufs();
    }
    highpass_.process(samples);
  }

  dsp::Highpass highpass_;
  dsp::Loudness loudness_;
  BlockOutput output_;
};

}  // namespace

const ElementInfo kFrontEndElement = {
    "qylonfrontend",
    "QylonFrontEnd",
    "Front end for speech",
    "Filter/Effect/Audio",
    "Cuts audio into blocks of 10 ms, measures their level and removes rumble below 80 Hz",
    kElementCaps,
    [](GstPad* source) -> std::unique_ptr<Transform> {
      return std::make_unique<FrontEndTransform>(source);
    },
};

}  // namespace qylon::media
