#include "media/containers/unpacker.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "media/containers/stream_plugins.hpp"
#include "media/packet.hpp"
#include "tests/support/stream_files.hpp"

namespace qylon::media {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Collected {
  std::vector<std::int16_t> samples() const {
    std::vector<std::int16_t> all;
    for (const Bytes& packet : packets) {
      const std::size_t before = all.size();
      all.resize(before + packet.size() / 2);
      std::memcpy(all.data() + before, packet.data(), packet.size());
    }
    return all;
  }

  AudioFormat format;
  std::vector<Bytes> packets;
  std::vector<std::int64_t> times_us;
};

class Collector final : public PacketSink {
 public:
  explicit Collector(Collected& collected) : collected_(collected) {}
  void on_format(const AudioFormat& format) override { collected_.format = format; }
  void on_packet(std::span<const std::uint8_t> packet, std::int64_t time_us) override {
    collected_.packets.emplace_back(packet.begin(), packet.end());
    collected_.times_us.push_back(time_us);
  }

 private:
  Collected& collected_;
};

struct Case {
  const char* name;
  const char* codec;
  const char* options;  ///< Of ffmpeg.
  const char* ending;
  int rate_hz = 48000;
  int channels = 1;
  int rounding = 0;  ///< How far the two conversions to 16 bits may differ.
};

std::string name_of(const ::testing::TestParamInfo<Case>& each) {
  return each.param.name;
}

void PrintTo(const Case& each, std::ostream* out) {
  *out << each.name;
}

class UnpackerCase : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override { ASSERT_TRUE(load_stream_plugins()); }

  static AudioFormat stream_of(const Case& each, const char* codec) {
    auto format = make_audio_format(codec, each.rate_hz, each.channels);
    QYLON_CHECK(static_cast<bool>(format));
    return *format;
  }

  static Collected unpack(const AudioFormat& stream, const Bytes& bytes, std::size_t piece) {
    Collected collected;
    Collector collector(collected);
    Unpacker unpacker(collector, {stream, {}, 0, 0, {}});
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      const auto next = std::span(bytes).subspan(at, std::min(piece, bytes.size() - at));
      const Status pushed = unpacker.push(next);
      EXPECT_TRUE(pushed) << pushed.error().message;
      if (!pushed) break;
    }
    unpacker.finish();
    return collected;
  }

  test::StreamFiles files_;
};

/// Signal to difference in dB at the best of all shifts up to `shift_max` samples either way.
double best_snr_db(const std::vector<std::int16_t>& ours,
                   const std::vector<std::int16_t>& reference,
                   int shift_max) {
  double best = -100.0;
  for (int shift = -shift_max; shift <= shift_max; ++shift) {
    double signal = 1e-9;
    double difference = 1e-9;
    for (std::size_t i = 3000; i + 3000 < reference.size(); i += 31) {
      const auto at = static_cast<std::ptrdiff_t>(i) + shift;
      if (at < 0 || at >= static_cast<std::ptrdiff_t>(ours.size())) continue;
      const double a = reference[i];
      const double b = ours[static_cast<std::size_t>(at)];
      signal += a * a;
      difference += (a - b) * (a - b);
    }
    best = std::max(best, 10.0 * std::log10(signal / difference));
  }
  return best;
}

// --- Opus is only unpacked ---

using OpusStream = UnpackerCase;

TEST_P(OpusStream, GivesThePacketsThatFfprobeFindsWhateverThePieces) {
  const auto file = files_.make(GetParam().options, GetParam().ending, 48000, GetParam().channels);
  const auto sizes = files_.packet_sizes(file);
  ASSERT_GT(sizes.size(), 10U);
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{7}, std::size_t{1000}, file.bytes.size()}) {
    const Collected got = unpack(stream_of(GetParam(), GetParam().codec), file.bytes, piece);
    EXPECT_EQ(got.format, (AudioFormat{Codec::kOpus, 48000, GetParam().channels}));
    ASSERT_EQ(got.packets.size(), sizes.size()) << piece;
    std::int64_t time_us = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      ASSERT_EQ(got.packets[i].size(), sizes[i]) << i;
      ASSERT_NEAR(static_cast<double>(got.times_us[i]), static_cast<double>(time_us), 1000.0);
      time_us += packet_samples(got.format, got.packets[i], 48000) * 1000 / 48;
    }
  }
}

TEST_P(OpusStream, IsToldApartByItsFirstBytes) {
  const auto file = files_.make(GetParam().options, GetParam().ending, 48000, GetParam().channels);
  const Collected named = unpack(stream_of(GetParam(), GetParam().codec), file.bytes, 500);
  const Collected told = unpack(stream_of(GetParam(), "auto"), file.bytes, 500);
  EXPECT_EQ(told.packets, named.packets);
}

TEST_P(OpusStream, GoesOnInANewUnpackerWithoutLossOrRepetition) {
  const auto file = files_.make(GetParam().options, GetParam().ending, 48000, GetParam().channels);
  const AudioFormat stream = stream_of(GetParam(), GetParam().codec);
  const Collected whole = unpack(stream, file.bytes, 400);
  for (const std::size_t cut : {file.bytes.size() / 3, file.bytes.size() / 2 + 1}) {
    Collected collected;
    Collector collector(collected);
    Unpacker first(collector, {stream, {}, 0, 0, {}});
    ASSERT_TRUE(first.push(std::span(file.bytes).first(cut)));
    const auto restart = first.restart();
    ASSERT_GT(restart.offset, 0U);
    const auto header_end = file.bytes.begin() + static_cast<long>(restart.header_bytes);
    Unpacker second(collector,
                    {stream,
                     Bytes(file.bytes.begin(), header_end),
                     restart.offset,
                     restart.cluster_time,
                     {restart.time_us, first.units() - restart.units}});
    ASSERT_TRUE(second.push(std::span(file.bytes).subspan(restart.offset)));
    second.finish();
    EXPECT_EQ(collected.packets, whole.packets);
    ASSERT_EQ(collected.times_us.size(), whole.times_us.size());
    EXPECT_NEAR(static_cast<double>(collected.times_us.back()),
                static_cast<double>(whole.times_us.back()),
                1000.0);
  }
}

constexpr Case kOpusStreams[] = {
    {"WebmOfFfmpeg", "webm", "-c:a libopus -f webm", "webm"},
    {"WebmLive", "webm", "-c:a libopus -f webm -live 1 -cluster_time_limit 200", "webm"},
    {"WebmStereo60ms", "webm", "-c:a libopus -frame_duration 60 -f webm -live 1", "webm", 48000, 2},
    {"OggPagesOf1s", "ogg", "-c:a libopus -f ogg", "ogg"},
    {"OggPagesOf20ms", "ogg", "-c:a libopus -f ogg -page_duration 20000", "ogg", 48000, 2},
    {"FragmentedMp4",
     "mp4",
     "-c:a libopus -f mp4 -movflags empty_moov+default_base_moof+frag_every_frame",
     "mp4"},
};
INSTANTIATE_TEST_SUITE_P(Each, OpusStream, ::testing::ValuesIn(kOpusStreams), name_of);

// --- Lossless codecs come out to the bit ---

using LosslessStream = UnpackerCase;

TEST_P(LosslessStream, GivesTheSamplesThatFfmpegDecodesWhateverThePieces) {
  const Case& each = GetParam();
  const auto file = files_.make(each.options, each.ending, each.rate_hz, each.channels);
  const bool raw = std::string(each.ending) == "raw";
  const std::string input = !raw ? ""
                                 : "-f " + std::string(each.codec) + " -ar " +
                                       std::to_string(each.rate_hz) + " -ac " +
                                       std::to_string(each.channels);
  const auto reference = files_.decode(file, input);
  ASSERT_GT(reference.size(), 7000U);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{333}, file.bytes.size()}) {
    const Collected got = unpack(stream_of(each, each.codec), file.bytes, piece);
    EXPECT_EQ(got.format, (AudioFormat{Codec::kPcmS16le, each.rate_hz, each.channels}));
    const auto samples = got.samples();
    ASSERT_EQ(samples.size(), reference.size()) << piece;
    for (std::size_t i = 0; i < samples.size(); ++i)
      ASSERT_NEAR(samples[i], reference[i], each.rounding) << piece << " at " << i;
  }
}

constexpr Case kLosslessStreams[] = {
    {"WavToAPipe", "wav", "-f wav - | cat >", "wav", 44100, 2},
    {"Wav8k", "wav", "-f wav", "wav", 8000, 1},
    {"WavOfMulaw", "wav", "-c:a pcm_mulaw -f wav", "wav", 8000, 1},
    {"WavOf24Bit", "wav", "-c:a pcm_s24le -f wav", "wav", 48000, 1, 1},
    {"Flac", "flac", "-c:a flac -sample_fmt s16 -f flac", "flac", 16000, 1},
    {"FlacToAPipe", "flac", "-c:a flac -sample_fmt s16 -f flac - | cat >", "flac", 44100, 2},
    {"MatroskaPcm", "webm", "-c:a pcm_s16le -f matroska -live 1", "mkv", 48000, 2},
    {"MatroskaFloat", "auto", "-c:a pcm_f32le -f matroska -live 1", "mkv", 44100, 2, 1},
    {"MatroskaFlac", "webm", "-c:a flac -sample_fmt s16 -f matroska", "mkv", 48000, 1},
    {"Mulaw", "mulaw", "-c:a pcm_mulaw -f mulaw", "raw", 8000, 1},
    {"Alaw", "alaw", "-c:a pcm_alaw -f alaw", "raw", 16000, 2},
};
INSTANTIATE_TEST_SUITE_P(Each, LosslessStream, ::testing::ValuesIn(kLosslessStreams), name_of);

// --- Lossy codecs come out as near as two decoders are ---

using LossyStream = UnpackerCase;

TEST_P(LossyStream, SoundsAsFfmpegDecodesItWhateverThePieces) {
  const Case& each = GetParam();
  const auto file = files_.make(each.options, each.ending, each.rate_hz, each.channels);
  const auto reference = files_.decode(file, std::string(each.ending) == "raw" ? "-f g722" : "");
  std::vector<std::int16_t> before;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{333}, file.bytes.size()}) {
    const Collected got = unpack(stream_of(each, each.codec), file.bytes, piece);
    EXPECT_EQ(got.format, (AudioFormat{Codec::kPcmS16le, each.rate_hz, each.channels}));
    const auto samples = got.samples();
    // Encoders begin with up to two frames of delay, which ffmpeg cuts off.
    EXPECT_NEAR(static_cast<double>(samples.size()), static_cast<double>(reference.size()), 5000.0);
    EXPECT_TRUE(before.empty() || samples == before) << piece;
    before = samples;
  }
  EXPECT_GT(best_snr_db(before, reference, 2500 * each.channels), 40.0);
}

constexpr Case kLossyStreams[] = {
    {"Adts", "adts", "-c:a aac -f adts", "aac", 44100, 2},
    {"AdtsMono16k", "auto", "-c:a aac -f adts", "aac", 16000, 1},
    {"Mp3WithId3", "mp3", "-c:a libmp3lame -metadata title=Test -f mp3", "mp3", 44100, 2},
    {"Mp3ToldApart", "auto", "-c:a libmp3lame -f mp3", "mp3", 16000, 1},
    {"FragmentedMp4",
     "mp4",
     "-c:a aac -f mp4 -movflags empty_moov+default_base_moof+frag_keyframe "
     "-frag_duration 200000",
     "mp4",
     48000,
     1},
    {"Mp4ToldApart",
     "auto",
     "-c:a aac -f mp4 -movflags frag_every_frame+empty_moov",
     "mp4",
     44100,
     2},
    {"G722", "g722", "-c:a g722 -f g722", "raw", 16000, 1},
};
INSTANTIATE_TEST_SUITE_P(Each, LossyStream, ::testing::ValuesIn(kLossyStreams), name_of);

// --- What is not taken ---

class UnpackerRefusal : public UnpackerCase {};

TEST_F(UnpackerRefusal, UnknownFirstBytesAreToldWhatIsTaken) {
  Collected collected;
  Collector collector(collected);
  Unpacker unpacker(collector, {{Codec::kAuto, 48000, 1}, {}, 0, 0, {}});
  const Bytes bytes(100, 0x42);
  const Status pushed = unpacker.push(bytes);
  ASSERT_FALSE(pushed);
  EXPECT_NE(pushed.error().message.find("webm, ogg, wav"), std::string::npos);
}

/// What a decoder says of `bytes` in pieces of 500.
std::string trouble_with(Codec codec, const Bytes& bytes) {
  Collected collected;
  Collector collector(collected);
  Unpacker unpacker(collector, {{codec, 48000, 1}, {}, 0, 0, {}});
  for (std::size_t at = 0; at < bytes.size(); at += 500) {
    const auto next = std::span(bytes).subspan(at, std::min<std::size_t>(500, bytes.size() - at));
    if (const Status pushed = unpacker.push(next); !pushed) return pushed.error().message;
  }
  return "";
}

TEST_F(UnpackerRefusal, BytesThatCannotBeginTheStreamAreRefusedAtOnce) {
  const Bytes bytes(500, 0x42);
  for (const Codec codec : {Codec::kWebm, Codec::kOgg, Codec::kWav, Codec::kFlac, Codec::kMp4}) {
    const std::string name(codec_name(codec));
    EXPECT_EQ(trouble_with(codec, bytes),
              "no " + name + " stream begins with these bytes; name the right codec, or \"auto\"");
  }
}

TEST_F(UnpackerRefusal, TheWrongNameOfAStreamIsRefusedAtOnce) {
  const auto file = files_.make("-c:a libopus -f ogg", "ogg");
  const Bytes beginning(file.bytes.begin(), file.bytes.begin() + 12);
  EXPECT_NE(trouble_with(Codec::kWebm, beginning), "");
  EXPECT_EQ(trouble_with(Codec::kOgg, beginning), "");
}

TEST_F(UnpackerRefusal, FramesAreNotSearchedForEver) {
  Bytes bytes(70'000, 0x42);
  EXPECT_NE(trouble_with(Codec::kMp3, bytes).find("first 64 KiB"), std::string::npos);
  EXPECT_NE(trouble_with(Codec::kAdts, bytes).find("first 64 KiB"), std::string::npos);
  constexpr std::array<std::uint8_t, 4> kPage = {'O', 'g', 'g', 'S'};
  std::ranges::copy(kPage, bytes.begin());
  EXPECT_NE(trouble_with(Codec::kOgg, bytes).find("first 64 KiB"), std::string::npos);
}

TEST_F(UnpackerRefusal, AnMp4WithItsSoundFirstIsToldToBeFragmented) {
  const auto file = files_.make("-c:a aac -f mp4", "mp4");
  Collected collected;
  Collector collector(collected);
  Unpacker unpacker(collector, {{Codec::kMp4, 48000, 1}, {}, 0, 0, {}});
  const Status pushed = unpacker.push(file.bytes);
  ASSERT_FALSE(pushed);
  EXPECT_NE(pushed.error().message.find("-movflags"), std::string::npos);
}

TEST_F(UnpackerRefusal, ACodecThatIsNotTakenIsNamed) {
  const auto file = files_.make("-c:a libvorbis -f webm", "webm");
  Collected collected;
  Collector collector(collected);
  Unpacker unpacker(collector, {{Codec::kWebm, 48000, 1}, {}, 0, 0, {}});
  const Status pushed = unpacker.push(file.bytes);
  ASSERT_FALSE(pushed);
  EXPECT_NE(pushed.error().message.find("vorbis"), std::string::npos) << pushed.error().message;
}

TEST_F(UnpackerRefusal, SoundThatIsNotOneOfTheTracksRatesIsResampledToTheNearest) {
  for (const auto& [rate_hz, nearest_hz] :
       {std::pair(4000, 8000), {22254, 22050}, {37800, 32000}, {48003, 48000}, {192000, 48000}}) {
    const auto file = files_.make("-f wav", "wav", rate_hz, 1);
    const Collected got = unpack({Codec::kWav, 48000, 1}, file.bytes, 5000);
    EXPECT_EQ(got.format, (AudioFormat{Codec::kPcmS16le, nearest_hz, 1})) << rate_hz;
    EXPECT_NEAR(static_cast<double>(got.samples().size()), 1.0 * nearest_hz, 100.0) << rate_hz;
  }
}

}  // namespace
}  // namespace qylon::media
