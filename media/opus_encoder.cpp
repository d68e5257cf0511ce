#include "media/opus_encoder.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <opus/opus.h>

#include "core/check.hpp"

namespace qylon::media {
namespace {

constexpr std::size_t kPacketBytesMax =
    1275 * 3 + 7;  // RFC 6716 section 3.2.5: 60 ms in one code 3.

template <std::size_t N>
bool one_of(int value, const std::array<int, N>& choices) {
  return std::find(choices.begin(), choices.end(), value) != choices.end();
}

Status check_options(const OpusPacketEncoder::Options& options) {
  const auto refuse = [](const std::string& message) {
    return Error{ErrorCode::kInvalidArgument, message};
  };
  if (!one_of(options.sample_rate_hz, std::array{8000, 12000, 16000, 24000, 48000}))
    return refuse("Opus takes 8000, 12000, 16000, 24000 or 48000 Hz, not " +
                  std::to_string(options.sample_rate_hz));
  if (options.bitrate_bps < 6000 || options.bitrate_bps > 510'000)
    return refuse("Opus takes 6000..510000 bit/s, not " + std::to_string(options.bitrate_bps));
  if (!one_of(options.frame_ms, std::array{10, 20, 40, 60}))
    return refuse("frames of 10, 20, 40 or 60 ms are made, not " +
                  std::to_string(options.frame_ms));
  if (options.complexity < 0 || options.complexity > 10)
    return refuse("Opus has complexities 0..10, not " + std::to_string(options.complexity));
  return ok();
}

}  // namespace

void OpusPacketEncoder::Free::operator()(void* encoder) const noexcept {
  opus_encoder_destroy(static_cast<::OpusEncoder*>(encoder));
}

Result<OpusPacketEncoder> OpusPacketEncoder::create(const Options& options) {
  const Status checked = check_options(options);
  if (!checked) return checked.error();
  int error = OPUS_OK;
  ::OpusEncoder* raw =
      opus_encoder_create(options.sample_rate_hz, 1, OPUS_APPLICATION_VOIP, &error);
  if (error != OPUS_OK) {
    return Error{ErrorCode::kInternal, std::string("libopus: ") + opus_strerror(error)};
  }
  OpusPacketEncoder encoder;
  encoder.encoder_.reset(raw);
  opus_int32 lookahead = 0;
  error = opus_encoder_ctl(raw, OPUS_SET_BITRATE(options.bitrate_bps));
  if (error == OPUS_OK) error = opus_encoder_ctl(raw, OPUS_SET_COMPLEXITY(options.complexity));
  if (error == OPUS_OK) error = opus_encoder_ctl(raw, OPUS_GET_LOOKAHEAD(&lookahead));
  if (error != OPUS_OK) {
    return Error{ErrorCode::kInternal, std::string("libopus: ") + opus_strerror(error)};
  }
  encoder.lookahead_samples_ = lookahead;
  encoder.frame_samples_ = static_cast<std::size_t>(options.sample_rate_hz / 1000) *
                           static_cast<std::size_t>(options.frame_ms);
  encoder.packet_.resize(kPacketBytesMax);
  return encoder;
}

std::span<const std::uint8_t> OpusPacketEncoder::encode(std::span<const float> frame) {
  QYLON_CHECK(frame.size() == frame_samples_);
  const opus_int32 bytes = opus_encode_float(static_cast<::OpusEncoder*>(encoder_.get()),
                                             frame.data(),
                                             static_cast<int>(frame.size()),
                                             packet_.data(),
                                             static_cast<opus_int32>(packet_.size()));
  // With a valid state, frame size and packet buffer libopus has no way left to fail.
  QYLON_CHECK(bytes > 0);
  return std::span<const std::uint8_t>(packet_).first(static_cast<std::size_t>(bytes));
}

}  // namespace qylon::media
