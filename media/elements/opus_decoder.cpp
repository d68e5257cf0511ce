// qylonopusdec: raw Opus packets to 16 kHz mono, straight from libopus, so that nothing has to be
// resampled. Uses the plain decoder: the multistream one costs 3.3 times as much in virtual
// machines with Debian's libopus 1.3.1, because it executes CPUID for every packet.
#include <algorithm>
#include <array>
#include <cstring>

#include <opus/opus.h>

#include "core/check.hpp"
#include "media/elements/transform.hpp"

namespace qylon::media {
namespace {

// Opus conceals in whole steps of 2.5 ms.
constexpr std::int64_t kStepSamples = kElementRateHz / 400;
constexpr std::int64_t kConcealedMax = static_cast<std::int64_t>(kBufferSamplesMax);

struct FreeDecoder {
  void operator()(OpusDecoder* decoder) const noexcept { opus_decoder_destroy(decoder); }
};

/// In an Ogg stream the first two packets describe it; they carry no sound.
bool is_ogg_header(std::span<const std::uint8_t> packet) noexcept {
  return packet.size() >= 8 && (std::memcmp(packet.data(), "OpusHead", 8) == 0 ||
                                std::memcmp(packet.data(), "OpusTags", 8) == 0);
}

/// Samples of the loss before `packet` that it repeats (in-band FEC): one frame's, or none.
/// Source: RFC 6716 sections 4.2.3 and 4.2.4; the range coder's first bits are the frame's first
/// ones, a voice activity flag per 20 ms and then the LBRR flag, for each channel.
std::int64_t repeated_samples(std::span<const std::uint8_t> packet) {
  constexpr unsigned kFramesMax = 48;
  std::array<const unsigned char*, kFramesMax> frames{};
  std::array<opus_int16, kFramesMax> sizes{};
  const bool celt_only = (packet[0] & 0x80) != 0;
  if (celt_only ||
      opus_packet_parse(packet.data(),
                        static_cast<opus_int32>(packet.size()),
                        nullptr,
                        frames.data(),
                        sizes.data(),
                        nullptr) <= 0 ||
      sizes[0] == 0) {
    return 0;
  }
  const int samples =
      opus_packet_get_samples_per_frame(packet.data(), static_cast<opus_int32>(kElementRateHz));
  const int flags = std::max(samples / (2 * static_cast<int>(kElementRateHz) / 100), 1);
  const unsigned first = frames[0][0];
  const bool stereo = opus_packet_get_nb_channels(packet.data()) == 2;
  const bool repeats =
      ((first >> (7 - flags)) & 1U) != 0 || (stereo && ((first >> (6 - 2 * flags)) & 1U) != 0);
  return repeats ? samples : 0;
}

class OpusDecoderTransform final : public Transform {
 public:
  explicit OpusDecoderTransform(GstPad* source) : output_(source, kBufferSamplesMax) {
    int error = OPUS_OK;
    // Stereo packets are mixed down by the decoder.
    decoder_.reset(opus_decoder_create(static_cast<opus_int32>(kElementRateHz), 1, &error));
    QYLON_CHECK(error == OPUS_OK);
  }

  bool set_caps(const GstStructure& caps) override {
    int family = 0;
    gst_structure_get_int(&caps, "channel-mapping-family", &family);
    from_ogg_ = gst_structure_has_field(&caps, "streamheader") == TRUE;
    return family == 0;
  }

  GstFlowReturn process(BufferPtr buffer) override {
    output_.start_at(GST_BUFFER_PTS(buffer.get()));
    const BufferView view(buffer.get());
    const auto packet = view.bytes();
    if (from_ogg_ && is_ogg_header(packet)) return GST_FLOW_OK;
    if (view.lost_samples() > 0) return recover(view.lost_samples(), packet);
    // An empty packet would ask libopus for concealment.
    const int samples = packet.empty() ? 0 : decode(packet, kBufferSamplesMax, false);
    if (samples > 0) {
      last_samples_ = samples;
      return output_.push(static_cast<std::size_t>(samples), false);
    }
    const GstFlowReturn flow = gap(last_samples_, true);
    return flow == GST_FLOW_OK ? kFlowConcealed : flow;
  }

  GstFlowReturn gap(std::int64_t samples, bool lost) override {
    const std::int64_t concealed = lost ? std::min(samples, kConcealedMax) / kStepSamples : 0;
    if (concealed > 0) {
      const GstFlowReturn flow = conceal(concealed * kStepSamples);
      if (flow < GST_FLOW_OK) return flow;
    }
    return output_.push_zeros(samples - concealed * kStepSamples);
  }

  GstFlowReturn drain() override { return GST_FLOW_OK; }

  void reset() override {
    opus_decoder_ctl(decoder_.get(), OPUS_RESET_STATE);
    output_.reset();
  }

 private:
  int decode(std::span<const std::uint8_t> packet, std::size_t samples_max, bool repeated) {
    return opus_decode_float(decoder_.get(),
                             packet.data(),
                             static_cast<opus_int32>(packet.size()),
                             output_.room().data(),
                             static_cast<int>(samples_max),
                             repeated ? 1 : 0);
  }

  /// Fills a loss, its end with what the packet after it repeats.
  GstFlowReturn recover(std::int64_t lost, std::span<const std::uint8_t> packet) {
    const std::int64_t repeated = packet.empty() ? 0 : repeated_samples(packet);
    if (repeated == 0 || repeated > lost) return gap(lost, true);
    const GstFlowReturn flow = gap(lost - repeated, true);
    if (flow < GST_FLOW_OK) return flow;
    if (decode(packet, static_cast<std::size_t>(repeated), true) != repeated)
      return gap(repeated, true);
    return output_.push(static_cast<std::size_t>(repeated), false);
  }

  GstFlowReturn conceal(std::int64_t samples) {
    const auto room = output_.room().first(static_cast<std::size_t>(samples));
    const int decoded = opus_decode_float(
        decoder_.get(), nullptr, 0, room.data(), static_cast<int>(room.size()), 0);
    if (decoded < 0) return output_.push_zeros(samples);
    std::ranges::fill(room.subspan(static_cast<std::size_t>(decoded)), 0.0F);
    return output_.push(room.size(), true);
  }

  std::unique_ptr<OpusDecoder, FreeDecoder> decoder_;
  SampleOutput output_;
  std::int64_t last_samples_ = 2 * kElementRateHz / 100;  // 20 ms until a packet tells.
  bool from_ogg_ = false;
};

}  // namespace

const ElementInfo kOpusDecoderElement = {
    "qylonopusdec",
    "QylonOpusDec",
    "Opus decoder for speech",
    "Codec/Decoder/Audio",
    "Decodes Opus packets to 16 kHz mono float; conceals GAP events that miss data",
    "audio/x-opus",
    [](GstPad* source) -> std::unique_ptr<Transform> {
      return std::make_unique<OpusDecoderTransform>(source);
    },
};

}  // namespace qylon::media
