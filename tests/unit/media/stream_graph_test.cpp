#include "media/stream_graph.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <opus/opus.h>

#include "tests/support/voice_signal.hpp"

namespace qylon::media {
namespace {

constexpr AudioFormat kOpus{Codec::kOpus, 48000, 1};
constexpr AudioFormat kPcm16k{Codec::kPcmS16le, 16000, 1};

class BlockCollector final : public BlockSink {
 public:
  void on_block(const Block& block) noexcept override { blocks.push_back(block); }
  std::int64_t samples() const { return static_cast<std::int64_t>(blocks.size()) * kBlockSamples; }

  std::vector<Block> blocks;
};

class StreamGraphTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(StreamGraph::init_graphs()); }
  std::unique_ptr<StreamGraph> make_graph(const AudioFormat& format) {
    auto graph = StreamGraph::create(format, collector);
    EXPECT_TRUE(graph);
    return graph ? *std::move(graph) : nullptr;
  }

  BlockCollector collector;
};

/// `frames` of a tone of 0.5 full scale from sample `begin` on, the same on every channel.
std::vector<std::uint8_t> tone(const AudioFormat& format, int frames, std::int64_t begin = 0) {
  std::vector<std::uint8_t> bytes;
  for (std::int64_t n = begin; n < begin + frames; ++n) {
    const double phase = 2.0 * std::numbers::pi * 1000.0 * static_cast<double>(n);
    const auto value = static_cast<float>(0.5 * std::sin(phase / format.sample_rate_hz));
    for (int channel = 0; channel < format.channels; ++channel) {
      std::uint8_t raw[4];
      const std::size_t size = sample_frame_bytes({format.codec, format.sample_rate_hz, 1});
      const auto whole = static_cast<std::int16_t>(std::lround(value * 32768.0F));
      if (size == 4) {
        std::memcpy(raw, &value, 4);
      } else {
        std::memcpy(raw, &whole, 2);
      }
      bytes.insert(bytes.end(), raw, raw + size);
    }
  }
  return bytes;
}

/// Opus packets of a 1 kHz tone at 48 kHz; the right channel, if any, is silent.
class ToneEncoder {
 public:
  explicit ToneEncoder(int channels = 1) : channels_(channels) {
    int error = OPUS_OK;
    encoder_ = opus_encoder_create(48000, channels, OPUS_APPLICATION_AUDIO, &error);
    EXPECT_EQ(error, OPUS_OK);
    opus_encoder_ctl(encoder_, OPUS_SET_BITRATE(96'000));
  }
  ~ToneEncoder() { opus_encoder_destroy(encoder_); }
  ToneEncoder(const ToneEncoder&) = delete;
  ToneEncoder& operator=(const ToneEncoder&) = delete;

  std::vector<std::uint8_t> next(int samples_48k) {
    std::vector<float> pcm(static_cast<std::size_t>(samples_48k * channels_), 0.0F);
    for (int n = 0; n < samples_48k; ++n, ++position_) {
      const double phase = 2.0 * std::numbers::pi * 1000.0 * position_ / 48000.0;
      pcm[static_cast<std::size_t>(n * channels_)] = static_cast<float>(0.5 * std::sin(phase));
    }
    std::vector<std::uint8_t> packet(4000);
    const int size = opus_encode_float(encoder_, pcm.data(), samples_48k, packet.data(), 4000);
    EXPECT_GT(size, 0);
    packet.resize(static_cast<std::size_t>(std::max(size, 0)));
    return packet;
  }

 private:
  const int channels_;
  OpusEncoder* encoder_ = nullptr;
  int position_ = 0;
};

TEST_F(StreamGraphTest, PcmOfEveryFormatKeepsExactTime) {
  for (const Codec codec : {Codec::kPcmS16le, Codec::kPcmF32le}) {
    for (const int rate_hz :
         {4000, 8000, 11025, 16000, 22050, 22254, 44100, 48000, 48003, 192000}) {
      const AudioFormat format{codec, rate_hz, 1 + rate_hz % 2};
      collector.blocks.clear();
      const auto graph = make_graph(format);
      std::mt19937 random(1);
      std::int64_t frames = 0;
      while (frames < rate_hz * 2) {  // Two seconds in packets of 0.1 to 20 ms.
        const int count = 1 + static_cast<int>(random() % static_cast<unsigned>(rate_hz / 50));
        ASSERT_TRUE(graph->push(tone(format, count, frames)));
        frames += count;
      }
      graph->flush();
      const std::int64_t expected = frames * kPipelineRateHz / rate_hz;
      EXPECT_GE(collector.samples(), expected) << rate_hz;
      EXPECT_LE(collector.samples(), expected + kBlockSamples) << rate_hz;
    }
  }
}

TEST_F(StreamGraphTest, BlocksFollowEachOtherWithoutAHole) {
  const auto graph = make_graph(kPcm16k);
  for (int packet = 0; packet < 10; ++packet)
    ASSERT_TRUE(graph->push(tone(kPcm16k, 250)));
  graph->flush();
  ASSERT_EQ(collector.blocks.size(), 16U);  // 2500 samples, the last block padded.
  for (std::size_t index = 0; index < collector.blocks.size(); ++index)
    EXPECT_EQ(collector.blocks[index].start_sample, static_cast<std::int64_t>(index) * 160);
}

TEST_F(StreamGraphTest, AToneKeepsItsLevelThroughResampling) {
  const AudioFormat format{Codec::kPcmS16le, 48000, 2};
  const auto graph = make_graph(format);
  for (int packet = 0; packet < 20; ++packet)
    ASSERT_TRUE(graph->push(tone(format, 960, packet * 960)));
  const Block& block = collector.blocks.back();
  // A sine of 0.5: peak -6.02 dBFS, RMS -9.03 dBFS; 1 kHz at 16 kHz hits its peaks exactly.
  EXPECT_NEAR(block.peak_dbfs, -6.02F, 0.05F);
  EXPECT_NEAR(block.rms_dbfs, -9.03F, 0.05F);
  EXPECT_NEAR(*std::ranges::max_element(block.samples), 0.5F, 0.005F);
}

TEST_F(StreamGraphTest, BlocksTellLoudnessAndClipping) {
  const auto graph = make_graph(kPcm16k);
  for (int packet = 0; packet < 25; ++packet)
    ASSERT_TRUE(graph->push(tone(kPcm16k, 320, packet * 320)));
  // BS.1770-4: a 0 dBFS sine of 997 Hz in one channel is -3.01 LUFS; this one is 6.02 dB lower.
  EXPECT_NEAR(collector.blocks.back().momentary_lufs, -9.03F, 0.1F);
  EXPECT_FALSE(collector.blocks.back().clipped);
  ASSERT_TRUE(graph->push(std::vector<std::uint8_t>(640, 0x7F)));  // 32,639: all but full scale.
  EXPECT_FALSE(collector.blocks.back().clipped);
  std::vector<std::uint8_t> flat(640, 0xFF);
  for (std::size_t at = 1; at < flat.size(); at += 2)
    flat[at] = 0x7F;
  ASSERT_TRUE(graph->push(flat));
  EXPECT_TRUE(collector.blocks.back().clipped);
}

TEST_F(StreamGraphTest, OpusPacketsOfEveryLengthKeepExactTime) {
  for (const int samples_48k : {120, 240, 480, 960, 1920, 2880, 3840, 4800, 5760}) {
    collector.blocks.clear();
    const auto graph = make_graph(kOpus);
    ToneEncoder encoder;
    for (int packet = 0; packet < 48; ++packet) {
      const auto bytes = encoder.next(samples_48k);
      EXPECT_EQ(graph->packet_samples(bytes), samples_48k / 3);
      ASSERT_TRUE(graph->push(bytes));
    }
    EXPECT_EQ(collector.samples(), 48 * samples_48k / 3) << samples_48k;
    EXPECT_NEAR(collector.blocks.back().rms_dbfs, -9.03F, 0.5F) << samples_48k;
  }
}

TEST_F(StreamGraphTest, StereoOpusIsMixedToMono) {
  const auto graph = make_graph({Codec::kOpus, 48000, 2});
  ToneEncoder encoder(2);
  for (int packet = 0; packet < 25; ++packet)
    ASSERT_TRUE(graph->push(encoder.next(960)));
  // Left at -9.03 dBFS, right silent: the mean is 6.02 dB lower.
  EXPECT_NEAR(collector.blocks.back().rms_dbfs, -15.05F, 0.5F);
}

TEST_F(StreamGraphTest, ALossIsConcealedFor120MsAndThenSilent) {
  const auto graph = make_graph(kOpus);
  ToneEncoder encoder;
  for (int packet = 0; packet < 25; ++packet)
    ASSERT_TRUE(graph->push(encoder.next(960)));
  collector.blocks.clear();
  graph->conceal(4000, {});  // 250 ms.
  ASSERT_EQ(collector.blocks.size(), 25U);
  EXPECT_GT(collector.blocks.front().rms_dbfs, -15.0F) << "the tone goes on into the loss";
  for (std::size_t index = 0; index < 25; ++index) {
    EXPECT_TRUE(collector.blocks[index].concealed);
    const bool silent = collector.blocks[index].rms_dbfs == -100.0F;
    EXPECT_EQ(silent, index >= 12) << index;
  }
  collector.blocks.clear();
  ASSERT_TRUE(graph->push(encoder.next(960)));
  EXPECT_FALSE(collector.blocks.front().concealed);
}

/// Speech at 16 kHz in 20 ms packets, each repeating the one before it at a lower rate.
std::vector<std::vector<std::uint8_t>> packets_with_fec(int count) {
  int error = OPUS_OK;
  OpusEncoder* const encoder = opus_encoder_create(16000, 1, OPUS_APPLICATION_VOIP, &error);
  opus_encoder_ctl(encoder, OPUS_SET_BITRATE(32'000));
  opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(1));
  opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(25));
  opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
  std::vector<std::vector<std::uint8_t>> packets;
  for (int index = 0; index < count; ++index) {
    const auto speech = test::voice_signal(std::int64_t{index} * 320, 320, 16000);
    std::vector<std::uint8_t> packet(1500);
    packet.resize(static_cast<std::size_t>(
        opus_encode_float(encoder, speech.data(), 320, packet.data(), 1500)));
    packets.push_back(std::move(packet));
  }
  opus_encoder_destroy(encoder);
  return packets;
}

/// Sum of squared differences of all samples.
double difference(const std::vector<Block>& a, const std::vector<Block>& b) {
  double sum = 0.0;
  for (std::size_t block = 0; block < std::min(a.size(), b.size()); ++block) {
    for (std::size_t n = 0; n < kBlockSamples; ++n) {
      const auto apart = static_cast<double>(a[block].samples[n] - b[block].samples[n]);
      sum += apart * apart;
    }
  }
  return sum;
}

TEST_F(StreamGraphTest, ALostPacketIsTakenFromWhatTheNextOneRepeats) {
  const auto packets = packets_with_fec(200);
  /// With every tenth packet lost; `help`: the next one is shown to the decoder.
  const auto decode = [&](bool lossy, bool help) {
    collector.blocks.clear();
    const auto graph = make_graph(kOpus);
    for (std::size_t index = 0; index < packets.size(); ++index) {
      if (lossy && index % 10 == 9 && index + 1 < packets.size()) {
        graph->conceal(320, help ? packets[index + 1] : std::vector<std::uint8_t>());
      } else {
        EXPECT_TRUE(graph->push(packets[index]));
      }
    }
    return collector.blocks;
  };
  const auto whole = decode(false, false);
  const auto recovered = decode(true, true);
  ASSERT_EQ(recovered.size(), whole.size());
  EXPECT_LT(difference(recovered, whole), 0.3 * difference(decode(true, false), whole));
  // 38 blocks were lost. The encoder repeats only what it takes for active speech.
  EXPECT_LT(std::ranges::count_if(recovered, &Block::concealed), 12);
}

TEST_F(StreamGraphTest, OnlyTheEndOfALongLossIsRepeated) {
  const auto packets = packets_with_fec(50);
  const auto graph = make_graph(kOpus);
  for (std::size_t index = 0; index < 40; ++index)
    ASSERT_TRUE(graph->push(packets[index]));
  collector.blocks.clear();
  graph->conceal(4 * 320, packets[44]);
  ASSERT_EQ(collector.blocks.size(), 8U);
  for (std::size_t block = 0; block < 8; ++block)
    EXPECT_EQ(collector.blocks[block].concealed, block < 6) << block;
}

TEST_F(StreamGraphTest, ALossOfAnyLengthKeepsExactTime) {
  const auto graph = make_graph(kOpus);
  ToneEncoder encoder;
  std::int64_t expected = 0;
  for (const std::int64_t samples : {1, 39, 41, 371, 1919, 1921, 5000, 160, 107}) {
    ASSERT_TRUE(graph->push(encoder.next(960)));
    graph->conceal(samples, {});
    expected += 320 + samples;
  }
  EXPECT_EQ(collector.samples(), expected / kBlockSamples * kBlockSamples);
}

TEST_F(StreamGraphTest, APauseIsExactSilence) {
  for (const AudioFormat& format : {kOpus, kPcm16k}) {
    collector.blocks.clear();
    const auto graph = make_graph(format);
    graph->silence(16000);
    ASSERT_EQ(collector.blocks.size(), 100U);
    for (const Block& block : collector.blocks) {
      EXPECT_TRUE(block.concealed);
      EXPECT_TRUE(std::ranges::all_of(block.samples, [](float x) { return x == 0.0F; }));
    }
  }
}

TEST_F(StreamGraphTest, ManyPausesDoNotMoveTheClock) {
  const AudioFormat format{Codec::kPcmS16le, 44100, 1};
  const auto graph = make_graph(format);
  for (int round = 0; round < 500; ++round) {
    ASSERT_TRUE(graph->push(tone(format, 1024)));
    graph->silence(161);
  }
  graph->flush();
  const std::int64_t expected = 500LL * 1024 * 16000 / 44100 + 500 * 161;
  EXPECT_NEAR(static_cast<double>(collector.samples()), static_cast<double>(expected), 160.0);
}

TEST_F(StreamGraphTest, ThePauseAfterPcmHoldsTheFiltersTailAndNothingElse) {
  const AudioFormat format{Codec::kPcmS16le, 48000, 1};
  const auto graph = make_graph(format);
  for (int packet = 0; packet < 5; ++packet)
    ASSERT_TRUE(graph->push(tone(format, 960, packet * 960)));
  collector.blocks.clear();
  graph->silence(1600);
  ASSERT_EQ(collector.blocks.size(), 10U);
  EXPECT_GT(collector.blocks[0].rms_dbfs, -30.0F);
  for (std::size_t index = 1; index < 10; ++index)
    EXPECT_EQ(collector.blocks[index].rms_dbfs, -100.0F);
}

TEST_F(StreamGraphTest, APacketThatIsNoneIsRefusedAndItsTimeConcealed) {
  const auto graph = make_graph(kOpus);
  ToneEncoder encoder;
  ASSERT_TRUE(graph->push(encoder.next(1920)));
  collector.blocks.clear();
  const std::vector<std::uint8_t> bad = {0xFF, 0x00};  // Code 3 without frames.
  const Status pushed = graph->push(bad);
  ASSERT_FALSE(pushed);
  EXPECT_EQ(pushed.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(collector.samples(), 640) << "as long as the packet before it";
  EXPECT_TRUE(collector.blocks.front().concealed);
}

TEST_F(StreamGraphTest, CutPcmIsRefusedAndItsTimeConcealed) {
  const auto graph = make_graph(kPcm16k);
  ASSERT_TRUE(graph->push(tone(kPcm16k, 160)));
  EXPECT_FALSE(graph->push(std::vector<std::uint8_t>(321)));
  EXPECT_EQ(collector.samples(), 320);
}

TEST_F(StreamGraphTest, BrokenFloatsDoNotPoisonTheFilters) {
  const AudioFormat format{Codec::kPcmF32le, 16000, 1};
  const auto graph = make_graph(format);
  ASSERT_TRUE(graph->push(std::vector<std::uint8_t>(640, 0xFF)));  // NaN.
  ASSERT_TRUE(graph->push(tone(format, 1600)));
  EXPECT_NEAR(collector.blocks.back().rms_dbfs, -9.03F, 0.05F);
  EXPECT_TRUE(std::isfinite(collector.blocks.back().samples[0]));
}

TEST_F(StreamGraphTest, AudioGoesOnAfterAFlush) {
  const auto graph = make_graph(kPcm16k);
  ASSERT_TRUE(graph->push(tone(kPcm16k, 100)));
  graph->flush();
  EXPECT_EQ(collector.samples(), 160);
  graph->flush();
  EXPECT_EQ(collector.samples(), 160) << "nothing is held back any more";
  ASSERT_TRUE(graph->push(tone(kPcm16k, 160)));
  EXPECT_EQ(collector.blocks.back().start_sample, 160);
}

TEST_F(StreamGraphTest, SpeechIsMoreProbableInSpeechThanInSilence) {
  std::ifstream file("/usr/share/pocketsphinx/test/data/cards/001.wav", std::ios::binary);
  if (!file) GTEST_SKIP() << "no speech sample here";
  file.seekg(44);
  const auto graph = make_graph(kPcm16k);
  std::vector<char> packet(640);
  float highest = 0.0F;
  while (file.read(packet.data(), 640)) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(packet.data());
    ASSERT_TRUE(graph->push({bytes, 640}));
    highest = std::max(highest, collector.blocks.back().speech_probability);
  }
  graph->silence(16000);
  EXPECT_GT(highest, 0.9F);
  EXPECT_LT(collector.blocks.back().speech_probability, 0.1F);
}

/// Entries of a folder of /proc, this process's own look at it included.
std::ptrdiff_t entries(const char* folder) {
  return std::distance(std::filesystem::directory_iterator(folder),
                       std::filesystem::directory_iterator());
}

TEST_F(StreamGraphTest, AGraphHasNoThreadAndNoFileOfItsOwn) {
  const auto files = entries("/proc/self/fd");
  const auto threads = entries("/proc/self/task");
  std::vector<std::unique_ptr<StreamGraph>> graphs;
  for (int index = 0; index < 50; ++index) {
    graphs.push_back(make_graph(index % 2 == 0 ? kOpus : kPcm16k));
    graphs.back()->silence(1600);
  }
  EXPECT_EQ(entries("/proc/self/task"), threads);
  EXPECT_EQ(entries("/proc/self/fd"), files);
}

bool maps_a_stock_plugin() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find("/gstreamer-1.0/") != std::string::npos) return true;
  return false;
}

TEST(StreamGraphPlugins, ARestrictedProcessRunsOnItsOwnElementsAlone) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // GStreamer starts once per process.
  EXPECT_EXIT(
      {
        StreamGraph::restrict_plugins();
        const bool works = static_cast<bool>(StreamGraph::init_graphs());
        const bool one_thread = entries("/proc/self/task") == 1;
        std::_Exit(works && one_thread && !maps_a_stock_plugin() ? 0 : 1);
      },
      testing::ExitedWithCode(0),
      "");
}

/// Runs a command line with our plugin on GStreamer's path and its own registry file.
int run_with_plugin(const std::string& command) {
  const std::string folder = QYLON_TEST_BINARY_DIR;
  // Other tests of this program restrict GStreamer by its environment.
  return std::system(("env -u GST_REGISTRY_DISABLE -u GST_PLUGIN_SYSTEM_PATH_1_0 "
                      "-u GST_PLUGIN_PATH_1_0 GST_PLUGIN_PATH=" +
                      folder + "/../gstreamer GST_REGISTRY=" + folder + "/gst-registry.bin " +
                      command)
                         .c_str());
}

TEST(GStreamerPlugin, OurElementsRunInAnyGStreamerProgram) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the plugin is instrumented, gst-launch is not";
#endif
  if (run_with_plugin("gst-launch-1.0 --version > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "no gst-launch-1.0 here";
  for (const char* element : {"qylonopusdec", "qylonresample", "qylonfrontend", "qylonvad"})
    EXPECT_EQ(run_with_plugin("gst-inspect-1.0 " + std::string(element) + " > /dev/null"), 0);
  EXPECT_EQ(run_with_plugin("gst-launch-1.0 -q audiotestsrc num-buffers=50 ! "
                            "audio/x-raw,rate=44100,channels=2 ! qylonresample ! qylonvad ! "
                            "fakesink"),
            0);
  EXPECT_EQ(run_with_plugin("gst-launch-1.0 -q audiotestsrc num-buffers=50 ! opusenc ! "
                            "qylonopusdec ! queue ! qylonfrontend ! qylonvad ! fakesink"),
            0);
}

}  // namespace
}  // namespace qylon::media
