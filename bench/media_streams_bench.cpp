// How many live streams one core carries without a recogniser: Opus uplink frames through jitter
// buffer, GStreamer graph, voice activity, segmentation and (for mixed tracks) diarization.
//
// Prints CPU milliseconds per second of audio and the streams per core that follow from them, for
// tracks of one person and for mixed tracks, and the share of each stage: every stage alone, over
// the same streams in turn, and what is left of the whole; and the heap that a graph takes (target:
// 64 kB).
// Usage: media_streams_bench [streams=300] [seconds=10]

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <malloc.h>
#include <opus/opus.h>

#include "dsp/highpass.hpp"
#include "dsp/level.hpp"
#include "dsp/loudness.hpp"
#include "dsp/voice_activity.hpp"
#include "media/meeting.hpp"
#include "media/opus_encoder.hpp"
#include "media/stream_graph.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/scripted_recogniser.hpp"
#include "tests/support/voice_signal.hpp"

namespace qylon::media {
namespace {

class Deaf final : public MeetingSink {
 public:
  void on_opened(const MeetingInfo& /*meeting*/) override {}
  void on_closed(MeetingId /*meeting*/) override {}
  void on_started(MeetingId /*meeting*/, std::int64_t /*started_us*/) override {}
  void on_track(MeetingId /*meeting*/, const TrackRecord& /*track*/) override {}
  void on_audio(MeetingId /*meeting*/,
                ClockId /*clock*/,
                UplinkFrame /*frame*/,
                std::function<void(bool)> synced) override {
    synced(true);
  }
  void on_interim(CaptionPtr /*caption*/) override {}
  void on_final(CaptionPtr /*caption*/) override {}
  void on_status(std::shared_ptr<const MeetingStatus> /*status*/) override {}
  void on_voices(MeetingId /*meeting*/, std::vector<StoredVoice> /*voices*/) override {}
  void on_levels(MeetingId /*meeting*/, std::vector<TrackLevel> /*levels*/) override {}
  void on_ended(MeetingId /*meeting*/, std::function<void(Status)> done) override { done(ok()); }
};

/// Answers every segment with nothing, at once: what is measured is everything else.
class Silent final : public models::Recogniser {
 public:
  models::RecogniserCaps caps() const override { return {}; }
  std::int64_t lag_ms() const override { return 0; }
  std::unique_ptr<models::RecogniserSession> open(
      const models::RecogniserSessionOptions& /*options*/,
      std::shared_ptr<models::RecogniserSink> /*sink*/) override {
    return std::make_unique<Session>();
  }

 private:
  class Session final : public models::RecogniserSession {
   public:
    void begin_segment(std::uint64_t, std::int64_t, std::string_view) override {}
    void push(std::span<const float>) override {}
    void end_segment(std::int64_t) override {}
  };
};

double thread_cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

/// Six seconds of voice, two of silence, again and again, as 20 ms Opus packets of 24 kb/s.
std::vector<std::vector<std::uint8_t>> packets(int seconds) {
  auto encoder = OpusPacketEncoder::create({.sample_rate_hz = 16000, .bitrate_bps = 24'000});
  QYLON_CHECK(static_cast<bool>(encoder));
  std::vector<std::vector<std::uint8_t>> result;
  for (int i = 0; i < seconds * 50; ++i) {
    std::vector<float> frame(320, 0.0F);
    if (i % 400 < 300) frame = test::voice_signal(std::int64_t{i} * 320, 320, 16000);
    const auto packet = encoder->encode(frame);
    result.emplace_back(packet.begin(), packet.end());
  }
  return result;
}

using Packets = std::vector<std::vector<std::uint8_t>>;

/// CPU milliseconds per stream-second of `step(stream, index)`: 20 ms of a stream.
template <typename StepFn>
double measure(std::size_t streams, std::size_t steps, StepFn&& step) {
  const double start_ms = thread_cpu_ms();
  for (std::size_t index = 0; index < steps; ++index) {
    for (std::size_t stream = 0; stream < streams; ++stream)
      step(stream, index);
  }
  const double seconds = 0.02 * static_cast<double>(streams * steps);
  return (thread_cpu_ms() - start_ms) / seconds;
}

/// Streams are not in step.
const std::vector<std::uint8_t>& packet_of(const Packets& audio,
                                           std::size_t stream,
                                           std::size_t index) {
  return audio[(index + stream * 37) % audio.size()];
}

/// The whole path.
double measure_meetings(std::size_t streams, const Packets& audio, const char* speaker) {
  test::FakeClock clock;
  Counters counters;
  Deaf sink;
  Silent recogniser;
  const auto model = diarization::EmbeddingModel::load_default();
  QYLON_CHECK(static_cast<bool>(model));
  std::vector<std::unique_ptr<Meeting>> meetings;
  for (std::size_t i = 0; i < streams; ++i) {
    MeetingRecord record;
    record.info.id = MeetingId::random();
    meetings.push_back(std::make_unique<Meeting>(
        record,
        Meeting::Parts{.clock = clock,
                       .counters = counters,
                       .sink = sink,
                       .recorder = nullptr,
                       .recogniser = recogniser,
                       .voice_model = *model,
                       .result_sink = [](auto, auto) { return nullptr; }}));
    UplinkHello hello;
    hello.clock = ClockId::random();
    hello.tracks.push_back({});
    hello.tracks[0].speaker = speaker;
    QYLON_CHECK(static_cast<bool>(meetings.back()->open_tracks(hello)));
  }
  return measure(streams, audio.size(), [&](std::size_t stream, std::size_t index) {
    UplinkFrame frame;
    frame.seq = index;
    frame.capture_us = index * 20'000;
    frame.payload = packet_of(audio, stream, index);
    meetings[stream]->on_frame(0, std::move(frame));
    meetings[stream]->tick();
    if (stream + 1 == streams) clock.advance_us(20'000);
  });
}

double measure_graphs(std::size_t streams, const Packets& audio) {
  class Ignore final : public BlockSink {
    void on_block(const Block& /*block*/) noexcept override {}
  };
  Ignore sink;
  std::vector<std::unique_ptr<StreamGraph>> graphs;
  for (std::size_t i = 0; i < streams; ++i)
    graphs.push_back(StreamGraph::create({}, sink).value());
  return measure(streams, audio.size(), [&](std::size_t stream, std::size_t index) {
    QYLON_CHECK(graphs[stream]->push(packet_of(audio, stream, index)));
  });
}

struct FreeDecoder {
  void operator()(OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }
};

double measure_decoders(std::size_t streams, const Packets& audio) {
  std::vector<std::unique_ptr<OpusDecoder, FreeDecoder>> decoders;
  for (std::size_t i = 0; i < streams; ++i)
    decoders.emplace_back(opus_decoder_create(16000, 1, nullptr));
  std::vector<float> samples(1920);
  return measure(streams, audio.size(), [&](std::size_t stream, std::size_t index) {
    const auto& packet = packet_of(audio, stream, index);
    const int count = opus_decode_float(decoders[stream].get(),
                                        packet.data(),
                                        static_cast<opus_int32>(packet.size()),
                                        samples.data(),
                                        1920,
                                        0);
    QYLON_CHECK(count == 320);
  });
}

/// `process(part, block)` on two blocks of voice a step; each stream has a Part of its own.
template <typename Part, typename ProcessFn>
double measure_kernel(std::size_t streams, std::size_t steps, Part part, ProcessFn&& process) {
  std::vector<Part> parts(streams, part);
  const std::vector<float> samples = test::voice_signal(0, 16000, 16000);
  return measure(streams, steps, [&](std::size_t stream, std::size_t index) {
    for (std::size_t block = 0; block < 2; ++block) {
      const std::size_t at = (stream * 7 + index * 2 + block) % 100 * 160;
      process(parts[stream], std::span<const float, 160>(samples.data() + at, 160));
    }
  });
}

/// Heap of one graph, its Opus decoder included.
double graph_kilobytes() {
  class Ignore final : public BlockSink {
    void on_block(const Block& /*block*/) noexcept override {}
  };
  Ignore sink;
  std::vector<std::unique_ptr<StreamGraph>> graphs(100);
  const std::size_t before = mallinfo2().uordblks;
  for (auto& graph : graphs) {
    graph = StreamGraph::create({}, sink).value();
    graph->silence(16000);
  }
  return static_cast<double>(mallinfo2().uordblks - before) / 100.0 / 1024.0;
}

void print(const char* stage, double ms, double whole_ms) {
  std::printf("  %-36s %6.3f ms  %5.1f %%\n", stage, ms, 100.0 * ms / whole_ms);
}

void report(std::size_t streams, int seconds) {
  const Packets audio = packets(seconds);
  const double one = measure_meetings(streams, audio, "Ann");
  const double mixed = measure_meetings(streams, audio, "");
  for (const auto& [what, ms] : {std::pair("one person per track", one), {"mixed track", mixed}})
    std::printf(
        "%-22s %.3f ms CPU per stream-second, %.0f streams a core\n", what, ms, 1000.0 / ms);

  const std::size_t steps = audio.size();
  const double decode = measure_decoders(streams, audio);
  const double graph = measure_graphs(streams, audio);
  const double level = measure_kernel(streams, steps, 0.0F, [](float& sum, auto block) {
    sum += dsp::measure_level(block).rms_dbfs;
  });
  const double loudness =
      measure_kernel(streams, steps, *dsp::Loudness::create(), [](auto& part, auto block) {
        part.process(block);
      });
  const double highpass =
      measure_kernel(streams, steps, *dsp::Highpass::create({}), [](auto& part, auto block) {
        std::array<float, 160> copy{};
        std::ranges::copy(block, copy.begin());
        part.process(copy);
      });
  std::vector<dsp::VoiceActivity> detectors;
  for (std::size_t i = 0; i < streams; ++i)
    detectors.push_back(*dsp::VoiceActivity::create());
  const std::vector<float> voice = test::voice_signal(0, 16000, 16000);
  const double activity = measure(streams, steps, [&](std::size_t stream, std::size_t index) {
    for (std::size_t block = 0; block < 2; ++block) {
      const std::size_t at = (stream * 7 + index * 2 + block) % 100 * 160;
      detectors[stream].process(std::span<const float, 160>(voice.data() + at, 160));
    }
  });
  std::printf("a graph takes %.1f kB\n", graph_kilobytes());
  std::printf("stages of the mixed track, %zu streams\n", streams);
  print("Opus decoder", decode, mixed);
  print("level meter", level, mixed);
  print("loudness", loudness, mixed);
  print("high-pass", highpass, mixed);
  print("voice activity", activity, mixed);
  print("graph around them", graph - decode - level - loudness - highpass - activity, mixed);
  print("jitter buffer, segmenter, captions", one - graph, mixed);
  print("diarization", mixed - one, mixed);
}

}  // namespace
}  // namespace qylon::media

int main(int argc, char** argv) {
  const int streams = argc > 1 ? std::atoi(argv[1]) : 300;
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 10;
  QYLON_CHECK(static_cast<bool>(qylon::media::StreamGraph::init_graphs()));
  qylon::media::report(static_cast<std::size_t>(streams), seconds);
  return 0;
}
