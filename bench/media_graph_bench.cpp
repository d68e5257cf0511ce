// What a 20 ms Opus packet costs from the uplink to 10 ms blocks, in thread CPU time:
//   decode    libopus alone, at 16 kHz
//   kernels   decode, level, loudness, high-pass and voice activity, called directly
//   graph     the same through StreamGraph
//   pipeline  appsrc ! opusdec ! audioconvert ! audioresample ! appsink (decode and resample only)
// Rounds are interleaved and medians compared, so that what else the machine does cancels out.
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <opus/opus.h>

#include "core/check.hpp"
#include "dsp/highpass.hpp"
#include "dsp/level.hpp"
#include "dsp/loudness.hpp"
#include "dsp/voice_activity.hpp"
#include "media/stream_graph.hpp"

namespace {

using qylon::media::Block;
using qylon::media::StreamGraph;
using Packets = std::vector<std::vector<std::uint8_t>>;

constexpr int kRateHz = 16000;
constexpr int kFrameSamples = 320;
constexpr int kRounds = 9;

double cpu_us(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// Debian's pocketsphinx-testdata: five spoken cards, 16 kHz mono.
std::vector<std::int16_t> read_speech() {
  std::vector<std::int16_t> speech;
  for (int card = 1; card <= 5; ++card) {
    std::ifstream file("/usr/share/pocketsphinx/test/data/cards/00" + std::to_string(card) + ".wav",
                       std::ios::binary);
    file.seekg(44);
    for (std::int16_t sample = 0; file.read(reinterpret_cast<char*>(&sample), 2);)
      speech.push_back(sample);
  }
  return speech;
}

Packets encode(const std::vector<std::int16_t>& speech) {
  OpusEncoder* const encoder = opus_encoder_create(kRateHz, 1, OPUS_APPLICATION_VOIP, nullptr);
  opus_encoder_ctl(encoder, OPUS_SET_BITRATE(24'000));
  Packets packets;
  for (std::size_t at = 0; at + kFrameSamples <= speech.size(); at += kFrameSamples) {
    std::vector<std::uint8_t> packet(1500);
    packet.resize(static_cast<std::size_t>(
        std::max(0, opus_encode(encoder, speech.data() + at, kFrameSamples, packet.data(), 1500))));
    packets.push_back(std::move(packet));
  }
  opus_encoder_destroy(encoder);
  return packets;
}

class Sum final : public qylon::media::BlockSink {
 public:
  void on_block(const Block& block) noexcept override { value += block.speech_probability; }
  float value = 0.0F;
};

/// One stream's decoder and kernels, called without GStreamer.
struct Direct {
  OpusDecoder* decoder = opus_decoder_create(kRateHz, 1, nullptr);
  qylon::dsp::Highpass highpass = qylon::dsp::Highpass::create({}).value();
  qylon::dsp::Loudness loudness = qylon::dsp::Loudness::create().value();
  qylon::dsp::VoiceActivity vad = qylon::dsp::VoiceActivity::create().value();
  std::array<float, 1920> samples{};
  float value = 0.0F;

  Direct() = default;
  ~Direct() { opus_decoder_destroy(decoder); }
  Direct(const Direct&) = delete;
  Direct& operator=(const Direct&) = delete;

  std::span<float> decode(const std::vector<std::uint8_t>& packet) {
    const int count = opus_decode_float(decoder,
                                        packet.data(),
                                        static_cast<opus_int32>(packet.size()),
                                        samples.data(),
                                        static_cast<int>(samples.size()),
                                        0);
    QYLON_CHECK(count == kFrameSamples);
    return std::span(samples).first(kFrameSamples);
  }
  void process(const std::vector<std::uint8_t>& packet) {
    const auto pcm = decode(packet);
    for (std::size_t at = 0; at < pcm.size(); at += 160) {
      value += qylon::dsp::measure_level(pcm.subspan(at, 160)).rms_dbfs;
      value += loudness.process(pcm.subspan(at, 160));
    }
    highpass.process(pcm);
    for (std::size_t at = 0; at < pcm.size(); at += 160)
      value += vad.process(pcm.subspan(at).first<160>());
  }
};

/// All packets through the stock elements, from the first push to the end of the stream.
void run_pipeline(const Packets& packets) {
  GstElement* const pipeline = gst_parse_launch(
      "appsrc name=src format=time caps=audio/x-opus,channel-mapping-family=0,rate=48000,channels=1"
      " ! opusdec ! audioconvert ! audioresample ! audio/x-raw,format=F32LE,rate=16000,channels=1"
      " ! appsink name=sink sync=false",
      nullptr);
  QYLON_CHECK(pipeline != nullptr);
  auto* const bin = reinterpret_cast<GstBin*>(pipeline);
  auto* const source = reinterpret_cast<GstAppSrc*>(gst_bin_get_by_name(bin, "src"));
  auto* const sink = reinterpret_cast<GstAppSink*>(gst_bin_get_by_name(bin, "sink"));
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  for (std::size_t index = 0; index < packets.size(); ++index) {
    GstBuffer* const buffer = gst_buffer_new_memdup(packets[index].data(), packets[index].size());
    GST_BUFFER_PTS(buffer) = index * 20 * GST_MSECOND;
    gst_app_src_push_buffer(source, buffer);
  }
  gst_app_src_end_of_stream(source);
  while (GstSample* const sample = gst_app_sink_pull_sample(sink))
    gst_sample_unref(sample);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(source);
  gst_object_unref(sink);
  gst_object_unref(pipeline);
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

/// Medians over the rounds [us per packet].
struct Costs {
  double decode = 0.0;
  double kernels = 0.0;
  double graph = 0.0;
};

Costs measure(const Packets& packets, std::size_t streams) {
  std::vector<std::unique_ptr<Direct>> decoders;
  std::vector<std::unique_ptr<Direct>> kernels;
  std::vector<std::unique_ptr<StreamGraph>> graphs;
  Sum sum;
  for (std::size_t index = 0; index < streams; ++index) {
    decoders.push_back(std::make_unique<Direct>());
    kernels.push_back(std::make_unique<Direct>());
    graphs.push_back(StreamGraph::create({}, sum).value());
  }
  // Every stream is at another place of the recording; each round gives each the same packets.
  const std::size_t steps = std::max<std::size_t>(packets.size() / streams, 20);
  const auto timed = [&](auto&& push) {
    const double begin = cpu_us(CLOCK_THREAD_CPUTIME_ID);
    for (std::size_t step = 0; step < steps; ++step)
      for (std::size_t stream = 0; stream < streams; ++stream)
        push(stream, packets[(step + stream * 7) % packets.size()]);
    const auto count = static_cast<double>(steps * streams);
    return (cpu_us(CLOCK_THREAD_CPUTIME_ID) - begin) / count;
  };
  std::array<std::vector<double>, 3> rounds;
  for (int round = 0; round < kRounds; ++round) {
    rounds[0].push_back(timed([&](auto i, const auto& packet) { decoders[i]->decode(packet); }));
    rounds[1].push_back(timed([&](auto i, const auto& packet) { kernels[i]->process(packet); }));
    rounds[2].push_back(
        timed([&](auto i, const auto& packet) { QYLON_CHECK(graphs[i]->push(packet)); }));
  }
  return {median(rounds[0]), median(rounds[1]), median(rounds[2])};
}

double measure_pipeline(const Packets& packets) {
  std::vector<double> rounds;
  for (int round = 0; round < kRounds; ++round) {
    const double begin = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
    run_pipeline(packets);
    rounds.push_back((cpu_us(CLOCK_PROCESS_CPUTIME_ID) - begin) /
                     static_cast<double>(packets.size()));
  }
  return median(rounds);
}

}  // namespace

int main() {
  const qylon::Status ready = StreamGraph::init_graphs();
  QYLON_CHECK(ready);
  const Packets packets = encode(read_speech());
  if (packets.empty()) {
    std::puts("media_graph_bench: no speech; install pocketsphinx-testdata");
    return 1;
  }
  std::printf("%zu packets of 20 ms, us of CPU each\n", packets.size());
  std::puts("streams  decode  kernels  graph  graph/kernels  (graph to PCM)/decode");
  double to_pcm = 0.0;
  for (const std::size_t streams : {1U, 100U}) {
    const Costs costs = measure(packets, streams);
    to_pcm = costs.graph - (costs.kernels - costs.decode);
    std::printf("%7zu  %6.2f  %7.2f  %5.2f  %13.3f  %21.3f\n",
                streams,
                costs.decode,
                costs.kernels,
                costs.graph,
                costs.graph / costs.kernels,
                to_pcm / costs.decode);
  }
  const double pipeline = measure_pipeline(packets);
  std::printf("stock pipeline %.2f; graph to PCM / pipeline %.3f\n", pipeline, to_pcm / pipeline);
  return 0;
}
