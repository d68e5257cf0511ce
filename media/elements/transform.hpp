#pragma once
/// What our GStreamer elements share: a shell with one sink and one source pad around a Transform.
/// Every element puts out mono float32 at 16 kHz. None allocates per buffer: each writes into its
/// own buffer and uses it again unless somebody downstream still holds it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <gst/gst.h>

#include "media/elements/buffer_meta.hpp"

namespace qylon::media {

inline constexpr std::int64_t kElementRateHz = 16000;
inline constexpr std::int64_t kNsPerSample = 1'000'000'000 / kElementRateHz;  // 62,500 exactly.
/// What all elements but the decoder put out at most at once: 20 ms, the usual packet.
inline constexpr std::size_t kPieceSamplesMax = 320;
inline constexpr char kElementCaps[] =
    "audio/x-raw,format=F32LE,layout=interleaved,rate=16000,channels=1";
/// Name of the custom downstream event that makes every element deliver what it holds back.
inline constexpr char kDrainEvent[] = "qylon-drain";

/// One buffer of fixed capacity, written and pushed again and again; replaced by a new one when
/// somebody still holds it.
class ReusableBuffer {
 public:
  explicit ReusableBuffer(std::size_t capacity_bytes) : capacity_(capacity_bytes) { renew(); }

  std::size_t capacity_bytes() const noexcept { return capacity_; }
  /// The writable buffer, with what was written since the last push(). Owned by this.
  GstBuffer* buffer() {
    if (!exclusive_) regain();
    return buffer_.get();
  }
  /// REQUIRES: buffer() or bytes() since the last push().
  BufferMeta& meta() noexcept { return *meta_; }
  std::span<std::uint8_t> bytes() {
    buffer();
    return {meta_->data, capacity_};
  }
  /// Pushes the first `size_bytes` of it out of a source pad, or into a sink pad.
  GstFlowReturn push(GstPad* pad, std::size_t size_bytes);

 private:
  void regain();
  void renew();

  const std::size_t capacity_;
  BufferPtr buffer_;
  BufferMeta* meta_ = nullptr;  // Of buffer_.
  bool exclusive_ = true;       // Nobody else can hold buffer_: checked since the last push().
};

/// Float samples on their way out of an element, stamped with the time that their count tells.
class SampleOutput {
 public:
  /// REQUIRES: samples_max <= kBufferSamplesMax.
  SampleOutput(GstPad* pad, std::size_t samples_max)
      : pad_(pad), buffer_(samples_max * sizeof(float)) {}

  /// Room for samples_max floats; what is written stays until it is pushed.
  std::span<float> room() {
    const auto bytes = buffer_.bytes();
    return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
  }
  /// Of the buffer that room() is in. REQUIRES: room() since the last push.
  BufferMeta& meta() noexcept { return buffer_.meta(); }

  /// `invented` marks concealment and silence (GST_BUFFER_FLAG_GAP).
  GstFlowReturn push(std::size_t samples, bool invented);
  GstFlowReturn push_zeros(std::int64_t samples);
  /// Pushes whole blocks, whose facts are in meta().
  GstFlowReturn push_with_facts(std::size_t samples);
  /// Lets a buffer pass whose `samples` come next.
  GstFlowReturn pass(BufferPtr buffer, std::size_t samples);
  /// The first valid time says when sample 0 was; later ones are ignored.
  void start_at(GstClockTime pts) noexcept;
  void reset() noexcept;

 private:
  GstFlowReturn send(std::size_t samples);

  GstPad* const pad_;
  ReusableBuffer buffer_;
  GstClockTime start_ = GST_CLOCK_TIME_NONE;
  std::int64_t position_ = 0;
};

/// The inside of an element. Threads: the streaming thread only.
class Transform {
 public:
  Transform() = default;
  virtual ~Transform() = default;
  Transform(const Transform&) = delete;
  Transform& operator=(const Transform&) = delete;
  Transform(Transform&&) = delete;
  Transform& operator=(Transform&&) = delete;

  /// False when the caps are not taken.
  virtual bool set_caps(const GstStructure& caps) = 0;
  virtual GstFlowReturn process(BufferPtr buffer) = 0;
  /// Nothing comes for `samples` [16 kHz]: lost on the way, or never sent.
  virtual GstFlowReturn gap(std::int64_t samples, bool lost) = 0;
  /// Delivers what is held back.
  virtual GstFlowReturn drain() = 0;
  virtual void reset() = 0;
};

struct ElementInfo {
  const char* name;       ///< "qylonvad": the factory.
  const char* type_name;  ///< "QylonVad".
  const char* long_name;
  const char* klass;
  const char* description;
  const char* sink_caps;
  std::unique_ptr<Transform> (*create)(GstPad* source);
};

/// GST_FLOW_OK, but the packet could not be decoded and its time was concealed.
inline constexpr GstFlowReturn kFlowConcealed = GST_FLOW_CUSTOM_SUCCESS;

/// Registers one element, with `plugin` or, when null, inside this process only.
/// `info` lives for ever.
bool register_element(GstPlugin* plugin, const ElementInfo& info);

extern const ElementInfo kOpusDecoderElement;
extern const ElementInfo kResamplerElement;
extern const ElementInfo kFrontEndElement;
extern const ElementInfo kVoiceActivityElement;

/// Registers all of the above.
bool register_elements(GstPlugin* plugin);

}  // namespace qylon::media
