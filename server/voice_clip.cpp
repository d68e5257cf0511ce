#include "server/voice_clip.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "core/check.hpp"
#include "diarization/voice_tracker.hpp"
#include "dsp/voice_activity.hpp"

namespace qylon::server {
namespace {

constexpr std::size_t kRateHz = 16000;
constexpr std::size_t kSamplesMax = 60 * kRateHz;
constexpr float kSpeechMin = 0.5F;
constexpr float kOthersShareMax = 0.1F;

Error refused(const std::string& why) {
  return {ErrorCode::kInvalidArgument,
          "the clip " + why + "; it must be a WAV file of 16-bit PCM, mono, 16000 Hz"};
}

/// Little-endian; REQUIRES: bytes of `size` at `at`.
std::uint32_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = size; i-- > 0;)
    value = value << 8U | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

/// What the chunk `id` holds, as far as the file goes; empty without one.
std::string_view chunk(std::string_view bytes, std::string_view id) {
  constexpr std::size_t kRiffBytes = 12;
  constexpr std::size_t kHeaderBytes = 8;
  for (std::size_t at = kRiffBytes; at + kHeaderBytes <= bytes.size();) {
    const std::size_t size = number_at(bytes, at + 4, 4);
    if (bytes.substr(at, 4) == id) return bytes.substr(at + kHeaderBytes, size);
    at += kHeaderBytes + size + size % 2;
  }
  return {};
}

}  // namespace

Result<std::vector<float>> parse_wav(std::string_view bytes) {
  if (bytes.size() < 12 || bytes.substr(0, 4) != "RIFF" || bytes.substr(8, 4) != "WAVE")
    return refused("is no WAV file");
  const std::string_view format = chunk(bytes, "fmt ");
  if (format.size() < 16) return refused("says no format");
  const bool pcm16 = number_at(format, 0, 2) == 1 && number_at(format, 14, 2) == 16;
  if (!pcm16) return refused("is not 16-bit PCM");
  if (number_at(format, 2, 2) != 1)
    return refused("has " + std::to_string(number_at(format, 2, 2)) + " channels");
  if (number_at(format, 4, 4) != kRateHz)
    return refused("has " + std::to_string(number_at(format, 4, 4)) + " Hz");
  const std::string_view data = chunk(bytes, "data");
  if (data.size() / 2 > kSamplesMax) return refused("is longer than 60 s");
  std::vector<float> samples;
  samples.reserve(data.size() / 2);
  for (std::size_t at = 0; at + 2 <= data.size(); at += 2) {
    const auto value = static_cast<std::int16_t>(number_at(data, at, 2));
    samples.push_back(static_cast<float>(value) / 32768.0F);
  }
  return samples;
}

Result<api::ClipVoice> hear_clip(const std::shared_ptr<const diarization::EmbeddingModel>& model,
                                 std::string_view wav) {
  constexpr std::size_t kBlock = dsp::VoiceActivity::kBlockSamples;
  const auto samples = parse_wav(wav);
  if (!samples) return samples.error();
  auto activity = dsp::VoiceActivity::create();
  QYLON_CHECK(activity);  // It has no options.
  diarization::VoiceClusters clusters(model);
  diarization::VoiceTracker tracker(clusters);
  for (std::size_t at = 0; at + kBlock <= samples->size(); at += kBlock) {
    const std::span<const float, kBlock> block(samples->data() + at, kBlock);
    const bool speech = activity->process(block) >= kSpeechMin;
    tracker.push(static_cast<std::int64_t>(at), block, speech);
  }
  auto voices = clusters.profiles();
  if (voices.empty()) return Error{ErrorCode::kInvalidArgument, "nobody speaks in the clip"};
  std::ranges::sort(voices, std::greater<>(), &diarization::VoiceClusters::Profile::weight);
  float others = 0;
  for (std::size_t i = 1; i < voices.size(); ++i)
    others += voices[i].weight;
  if (others > kOthersShareMax * (others + voices.front().weight)) {
    return Error{ErrorCode::kInvalidArgument,
                 "the clip has more than one voice; only one can be enrolled from it"};
  }
  return api::ClipVoice{std::move(voices.front().centroid), voices.front().weight};
}

}  // namespace qylon::server
