// qylonvad: says for every 10 ms how probable it is that somebody speaks. The probabilities travel
// in the buffers' QylonBufferMeta; GST_DEBUG=qylonvad:4 prints where speech begins and ends.
#include "dsp/voice_activity.hpp"

#include <utility>

#include "media/elements/block_output.hpp"
#include "media/elements/transform.hpp"

namespace qylon::media {
namespace {

GST_DEBUG_CATEGORY_STATIC(category);

class VoiceActivityTransform final : public Transform, private BlockWorker {
 public:
  explicit VoiceActivityTransform(GstPad* source)
      : detector_(dsp::VoiceActivity::create().value()), output_(source, *this) {
    GST_DEBUG_CATEGORY_INIT(category, "qylonvad", 0, "Where speech begins and ends");
  }

  bool set_caps(const GstStructure& /*caps*/) override { return true; }

  GstFlowReturn process(BufferPtr buffer) override { return output_.push(std::move(buffer)); }
  GstFlowReturn gap(std::int64_t samples, bool /*lost*/) override {
    return output_.push_zeros(samples);
  }
  GstFlowReturn drain() override { return output_.drain(); }

  void reset() override {
    detector_.reset();
    output_.reset();
    speaking_ = false;
    blocks_ = 0;
  }

 private:
  void work(std::span<float> samples, std::span<BlockFacts> facts) override {
    for (BlockFacts& fact : facts) {
      fact.speech_probability = detector_.process(samples.first<kBlockSize>());
      samples = samples.subspan(kBlockSize);
      note(fact.speech_probability);
    }
  }

  void note(float probability) {
    const bool speaking = probability >= 0.5F;
    if (speaking != speaking_) {
      GST_CAT_INFO(
          category, "%s at %" G_GINT64_FORMAT " ms", speaking ? "speech" : "silence", blocks_ * 10);
    }
    speaking_ = speaking;
    ++blocks_;
  }

  dsp::VoiceActivity detector_;
  BlockOutput output_;
  bool speaking_ = false;
  std::int64_t blocks_ = 0;
};

}  // namespace

const ElementInfo kVoiceActivityElement = {
    "qylonvad",
    "QylonVad",
    "Voice activity detector",
    "Filter/Analyzer/Audio",
    "Tells for every 10 ms how probable speech is, in the buffers' QylonBufferMeta",
    kElementCaps,
    [](GstPad* source) -> std::unique_ptr<Transform> {
      return std::make_unique<VoiceActivityTransform>(source);
    },
};

}  // namespace qylon::media
