// What a worker does with a stranger's stream: any bytes of any codec in any pieces become packets
// within their limits or are refused, and a place to go on is never ahead of what was read.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/check.hpp"
#include "media/containers/stream_messages.hpp"
#include "media/containers/stream_plugins.hpp"
#include "media/containers/unpacker.hpp"
#include "media/packet.hpp"

namespace qylon::media {
namespace {

class CheckingSink final : public PacketSink {
 public:
  void on_format(const AudioFormat& format) override {
    QYLON_CHECK(!opened_);
    opened_ = true;
    format_ = format;
    const auto sane =
        make_audio_format(codec_name(format.codec), format.sample_rate_hz, format.channels);
    QYLON_CHECK(sane && !is_stream(format.codec));
  }
  void on_packet(std::span<const std::uint8_t> packet, std::int64_t time_us) override {
    QYLON_CHECK(opened_ && time_us >= last_us_);
    last_us_ = time_us;
    QYLON_CHECK(packet_samples(format_, packet, 48000) > 0);
  }

 private:
  bool opened_ = false;
  AudioFormat format_;
  std::int64_t last_us_ = 0;
};

/// Where a new unpacker may go on behind what was taken of `bytes`.
Unpacker::Restart read_stream(const AudioFormat& stream,
                              std::span<const std::uint8_t> bytes,
                              std::size_t piece) {
  CheckingSink sink;
  Unpacker unpacker(sink, {stream, {}, 0, 0, {}});
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const std::size_t size = std::min(piece, bytes.size() - at);
    if (!unpacker.push(bytes.subspan(at, size))) return {};
    QYLON_CHECK(unpacker.restart().offset <= at + size);
    QYLON_CHECK(unpacker.restart().header_bytes <= unpacker.restart().offset);
    QYLON_CHECK(unpacker.restart().units <= unpacker.units());
  }
  unpacker.finish();
  Unpacker::Restart restart = unpacker.restart();
  if (unpacker.codec() != stream.codec) restart.offset = 0;  // Only the known codec goes on.
  return restart;
}

void go_on(const AudioFormat& stream,
           std::span<const std::uint8_t> bytes,
           const Unpacker::Restart& restart) {
  CheckingSink sink;
  const auto header = bytes.first(static_cast<std::size_t>(restart.header_bytes));
  Unpacker unpacker(sink,
                    {stream,
                     {header.begin(), header.end()},
                     restart.offset,
                     restart.cluster_time,
                     {restart.time_us, 100}});
  if (unpacker.push(bytes.subspan(bytes.size() / 2))) unpacker.finish();
}

void check_messages(std::span<const std::uint8_t> bytes) {
  const std::string_view payload(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const auto done = parse_done(payload)) QYLON_CHECK(encode_done(*done) == payload);
  if (const auto format = parse_format(payload)) QYLON_CHECK(encode_format(*format) == payload);
  if (const auto open = parse_open(payload)) QYLON_CHECK(encode_open(*open) == payload);
  static_cast<void>(parse_packets(payload));
}

}  // namespace
}  // namespace qylon::media

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qylon::media::Codec;
  static const bool ready = static_cast<bool>(qylon::media::load_stream_plugins());
  QYLON_CHECK(ready);
  if (size < 2) return 0;
  constexpr int kFirst = static_cast<int>(Codec::kAuto);
  constexpr int kCount = static_cast<int>(Codec::kG722) - kFirst + 1;
  const auto codec = static_cast<Codec>(kFirst + data[0] % kCount);
  const qylon::media::AudioFormat stream{
      codec, qylon::media::default_sample_rate_hz(codec), 1 + data[0] / kCount % 2};
  const std::span<const std::uint8_t> bytes(data + 2, size - 2);
  const auto restart = qylon::media::read_stream(stream, bytes, std::size_t{data[1]} * 4 + 1);
  if (restart.offset > 0) qylon::media::go_on(stream, bytes, restart);
  qylon::media::check_messages(bytes);
  return 0;
}
