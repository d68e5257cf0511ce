#include "media/recording_track.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "dsp/pcm.hpp"
#include "dsp/resampler.hpp"
#include "media/opus_encoder.hpp"
#include "media/packet.hpp"

namespace qylon::media {
namespace {

constexpr int kClockHz = 48000;
constexpr std::int64_t kFrameSamples = kClockHz / 50;     // 20 ms, what we encode.
constexpr std::int64_t kGapMax = 24LL * 3600 * kClockHz;  // Far above any meeting's length.
constexpr std::int64_t kPageSamples = kClockHz;           // A page a second can be read live.
constexpr std::int64_t kGapThroughEncoder = kClockHz;     // Shorter gaps are encoded zeros.

struct SilentPacket {
  std::int64_t samples_48k;
  std::array<std::uint8_t, 14> bytes;
  std::size_t size;
};
/// CELT frames whose first symbol, decoded from FF FE, is the silence flag (RFC 6716 section
/// 4.3); fullband configurations 31 to 28. The longest is six frames of 20 ms in one packet: code
/// 3, constant size.
constexpr std::array<SilentPacket, 5> kSilence = {{
    {5760,
     {0xFB, 0x06, 0xFF, 0xFE, 0xFF, 0xFE, 0xFF, 0xFE, 0xFF, 0xFE, 0xFF, 0xFE, 0xFF, 0xFE},
     14},
    {960, {0xF8, 0xFF, 0xFE}, 3},
    {480, {0xF0, 0xFF, 0xFE}, 3},
    {240, {0xE8, 0xFF, 0xFE}, 3},
    {120, {0xE0, 0xFF, 0xFE}, 3},
}};
constexpr std::int64_t kSilenceStep = kSilence.back().samples_48k;

bool is_opus_rate(int rate_hz) noexcept {
  return rate_hz == 8000 || rate_hz == 12000 || rate_hz == 16000 || rate_hz == 24000 ||
         rate_hz == 48000;
}

}  // namespace

/// PCM of any accepted format to Opus packets of 20 ms, appended to a file.
class PcmPacker {
 public:
  static Result<std::unique_ptr<PcmPacker>> create(const AudioFormat& format) {
    std::optional<dsp::Resampler> resampler;
    int rate_hz = format.sample_rate_hz;
    if (!is_opus_rate(rate_hz)) {
      auto made = dsp::Resampler::create({rate_hz, kClockHz});
      if (!made) return made.error();
      resampler = *std::move(made);
      rate_hz = kClockHz;
    }
    OpusPacketEncoder::Options options;
    options.sample_rate_hz = rate_hz;
    auto encoder = OpusPacketEncoder::create(options);
    if (!encoder) return encoder.error();
    return std::unique_ptr<PcmPacker>(
        new PcmPacker(format, rate_hz, std::move(resampler), *std::move(encoder)));
  }

  int pre_skip_48k() const noexcept { return encoder_.lookahead_samples() * (kClockHz / rate_hz_); }
  std::int64_t pending_48k() const noexcept {
    return static_cast<std::int64_t>(pending_.size()) * (kClockHz / rate_hz_);
  }

  Status write(std::span<const std::uint8_t> packet, RecordingFile& file) {
    const auto channels = static_cast<std::size_t>(format_.channels);
    const std::size_t frames = packet.size() / sample_frame_bytes(format_);
    samples_.resize(frames * channels);
    unfinished_ = true;
    if (format_.codec == Codec::kPcmF32le) {
      dsp::f32le_to_float(packet, samples_);
    } else {
      dsp::s16le_to_float(packet, samples_);
    }
    const auto mono = std::span(samples_).first(frames);
    if (channels > 1) dsp::mix_to_mono(samples_, format_.channels, mono);
    take(mono);
    return encode_whole_frames(file);
  }

  Status write_zeros(std::int64_t samples_48k, RecordingFile& file) {
    pending_.resize(pending_.size() + static_cast<std::size_t>(samples_48k) /
                                          static_cast<std::size_t>(kClockHz / rate_hz_));
    return encode_whole_frames(file);
  }

  /// Pads to a whole frame, with room for what the encoder holds back.
  Status finish(RecordingFile& file) {
    if (!std::exchange(unfinished_, false)) return ok();
    const std::int64_t tail = pending_48k() + pre_skip_48k();
    const std::int64_t whole = (tail + kFrameSamples - 1) / kFrameSamples * kFrameSamples;
    return write_zeros(whole - pending_48k(), file);
  }

 private:
  PcmPacker(const AudioFormat& format,
            int rate_hz,
            std::optional<dsp::Resampler> resampler,
            OpusPacketEncoder encoder)
      : format_(format),
        rate_hz_(rate_hz),
        resampler_(std::move(resampler)),
        encoder_(std::move(encoder)) {}

  void take(std::span<const float> mono) {
    const std::size_t before = pending_.size();
    if (!resampler_) {
      pending_.insert(pending_.end(), mono.begin(), mono.end());
      return;
    }
    pending_.resize(before + resampler_->output_samples_max(mono.size()));
    const std::size_t added = resampler_->process(mono, std::span(pending_).subspan(before));
    pending_.resize(before + added);
  }

  Status encode_whole_frames(RecordingFile& file) {
    const std::size_t frame_samples = encoder_.frame_samples();
    std::span<const float> rest(pending_);
    while (rest.size() >= frame_samples) {
      const auto packet = encoder_.encode(rest.first(frame_samples));
      if (const Status appended = file.append(packet, kFrameSamples); !appended) return appended;
      rest = rest.subspan(frame_samples);
    }
    pending_.erase(pending_.begin(), pending_.end() - static_cast<std::ptrdiff_t>(rest.size()));
    return ok();
  }

  const AudioFormat format_;  // Constant after construction.
  const int rate_hz_;         // Of the encoder; divides 48000.
  std::optional<dsp::Resampler> resampler_;
  OpusPacketEncoder encoder_;
  std::vector<float> samples_;  // The packet in work.
  std::vector<float> pending_;  // At rate_hz_, less than a frame between calls.
  bool unfinished_ = false;     // The encoder or pending_ hold sound.
};

Result<std::unique_ptr<RecordingTrack>> RecordingTrack::open(const std::string& path,
                                                             const AudioFormat& format) {
  std::unique_ptr<PcmPacker> packer;
  RecordingFile::Head head;
  head.channels = format.channels;
  head.input_rate_hz = format.sample_rate_hz;
  if (format.codec != Codec::kOpus) {
    auto made = PcmPacker::create(format);
    if (!made) return made.error();
    packer = *std::move(made);
    head.channels = 1;
    head.pre_skip_48k = packer->pre_skip_48k();
  }
  auto file = RecordingFile::open(path, head);
  if (!file) return file.error();
  return std::unique_ptr<RecordingTrack>(
      new RecordingTrack(format, *std::move(file), std::move(packer)));
}

RecordingTrack::RecordingTrack(const AudioFormat& format,
                               std::unique_ptr<RecordingFile> file,
                               std::unique_ptr<PcmPacker> packer)
    : format_(format), file_(std::move(file)), packer_(std::move(packer)) {}

RecordingTrack::~RecordingTrack() = default;

Result<RecordingTrack::Written> RecordingTrack::write(std::int64_t position_48k,
                                                      std::span<const std::uint8_t> packet) {
  const std::int64_t samples_48k = packet_samples(format_, packet, kClockHz);
  if (samples_48k == 0) return Written::kNoPacket;
  const std::int64_t gap = position_48k - end_48k();
  if (2 * gap <= -samples_48k) return Written::kOld;  // See RecordingTrack, Time.
  if (gap > kGapMax) return Written::kTooFar;
  if (gap >= kSilenceStep) {
    if (const Status filled = fill(gap); !filled) return filled.error();
  }
  const Status written =
      packer_ ? packer_->write(packet, *file_) : file_->append(packet, samples_48k);
  if (!written) return written.error();
  if (file_->unwritten_48k() >= kPageSamples) {
    if (const Status flushed = file_->flush(); !flushed) return flushed.error();
  }
  return Written::kYes;
}

Status RecordingTrack::finish() {
  if (packer_) {
    if (const Status padded = packer_->finish(*file_); !padded) return padded;
  }
  return file_->finish();
}

std::int64_t RecordingTrack::end_48k() const noexcept {
  return file_->end_48k() + (packer_ ? packer_->pending_48k() : 0);
}

Status RecordingTrack::fill(std::int64_t samples_48k) {
  if (!packer_) return append_silence(samples_48k);
  if (samples_48k >= kGapThroughEncoder) {
    const std::int64_t end = end_48k() + samples_48k;
    if (const Status padded = packer_->finish(*file_); !padded) return padded;
    samples_48k = end - end_48k();
    if (const Status silent = append_silence(samples_48k); !silent) return silent;
  }
  return packer_->write_zeros(samples_48k, *file_);
}

/// Appends silent packets and leaves in `samples_48k` what is shorter than the shortest.
Status RecordingTrack::append_silence(std::int64_t& samples_48k) {
  for (const SilentPacket& silent : kSilence) {
    const auto bytes = std::span(silent.bytes).first(silent.size);
    for (; samples_48k >= silent.samples_48k; samples_48k -= silent.samples_48k) {
      const Status appended = file_->append(bytes, silent.samples_48k);
      if (!appended) return appended;
    }
  }
  return ok();
}

}  // namespace qylon::media
