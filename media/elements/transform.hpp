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

namespace qylon::media {

inline constexpr std::int64_t kElementRateHz = 16000;
inline constexpr std::int64_t kNsPerSample = 1'000'000'000 / kElementRateHz;  // 62,500 exactly.
/// Longest Opus packet, and so the most that one buffer between our elements holds: 120 ms.
inline constexpr std::size_t kBufferSamplesMax = 1920;
inline constexpr char kElementCaps[] =
    "audio/x-raw,format=F32LE,layout=interleaved,rate=16000,channels=1";
/// Name of the custom downstream event that makes every element deliver what it holds back.
inline constexpr char kDrainEvent[] = "qylon-drain";

/// Reads a buffer's bytes for the object's life.
class MappedBuffer {
 public:
  explicit MappedBuffer(GstBuffer* buffer) noexcept
      : buffer_(buffer), mapped_(gst_buffer_map(buffer, &map_, GST_MAP_READ) == TRUE) {}
  ~MappedBuffer() {
    if (mapped_) gst_buffer_unmap(buffer_, &map_);
  }
  MappedBuffer(const MappedBuffer&) = delete;
  MappedBuffer& operator=(const MappedBuffer&) = delete;
  MappedBuffer(MappedBuffer&&) = delete;
  MappedBuffer& operator=(MappedBuffer&&) = delete;

  std::span<const std::uint8_t> bytes() const noexcept {
    if (!mapped_) return {};
    return {map_.data, map_.size};
  }
  /// REQUIRES: the buffer came with kElementCaps.
  std::span<const float> samples() const noexcept {
    if (!mapped_) return {};
    return {reinterpret_cast<const float*>(map_.data), map_.size / sizeof(float)};
  }

 private:
  GstBuffer* buffer_;
  GstMapInfo map_{};
  bool mapped_;
};

/// One buffer of fixed capacity, written and pushed again and again; replaced by a new one when
/// somebody still holds it.
class ReusableBuffer {
 public:
  explicit ReusableBuffer(std::size_t capacity_bytes) noexcept : capacity_(capacity_bytes) {}
  ~ReusableBuffer();
  ReusableBuffer(const ReusableBuffer&) = delete;
  ReusableBuffer& operator=(const ReusableBuffer&) = delete;
  ReusableBuffer(ReusableBuffer&&) = delete;
  ReusableBuffer& operator=(ReusableBuffer&&) = delete;

  std::size_t capacity_bytes() const noexcept { return capacity_; }
  /// The writable buffer, empty or with what was written since the last push(). Owned by this.
  GstBuffer* buffer() {
    if (!exclusive_) regain();
    return buffer_;
  }
  std::span<std::uint8_t> bytes() {
    buffer();
    return {data_, capacity_};
  }
  /// Pushes the first `size_bytes` of it.
  GstFlowReturn push(GstPad* pad, std::size_t size_bytes);

 private:
  void regain();

  const std::size_t capacity_;
  GstBuffer* buffer_ = nullptr;
  std::uint8_t* data_ = nullptr;  // Of buffer_.
  std::size_t size_ = 0;          // Of buffer_, as last set.
  bool exclusive_ = false;        // Nobody else can hold buffer_: checked since the last push().
};

/// Float samples on their way out of an element, stamped with the time that their count tells.
class SampleOutput {
 public:
  SampleOutput(GstPad* pad, std::size_t samples_max) noexcept
      : pad_(pad), buffer_(samples_max * sizeof(float)) {}

  /// Room for samples_max floats; what is written stays until push().
  std::span<float> room() {
    const auto bytes = buffer_.bytes();
    return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
  }
  GstBuffer* buffer() { return buffer_.buffer(); }
  /// `invented` marks concealment and silence (GST_BUFFER_FLAG_GAP).
  GstFlowReturn push(std::size_t samples, bool invented);
  GstFlowReturn push_zeros(std::int64_t samples);
  /// The first valid time says when sample 0 was; later ones are ignored.
  void start_at(GstClockTime pts) noexcept;
  void reset() noexcept;

 private:
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
  virtual GstFlowReturn process(GstBuffer* buffer) = 0;
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
