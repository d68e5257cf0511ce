// How many live streams one core carries without a recogniser: Opus uplink frames through jitter
// buffer, GStreamer graph, voice activity, segmentation and (for mixed tracks) diarization.
//
// Prints CPU milliseconds per second of audio and the streams per core that follow from them, for
// tracks of one person and for mixed tracks. Usage: media_streams_bench [streams=100] [seconds=20]

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

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

double cpu_ms_per_stream_second(int streams, int seconds, const char* speaker) {
  test::FakeClock clock;
  Counters counters;
  Deaf sink;
  Silent recogniser;
  const auto model = diarization::EmbeddingModel::load_default();
  QYLON_CHECK(static_cast<bool>(model));
  std::vector<std::unique_ptr<Meeting>> meetings;
  for (int i = 0; i < streams; ++i) {
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
  const auto audio = packets(seconds);
  const double start_ms = thread_cpu_ms();
  for (std::size_t i = 0; i < audio.size(); ++i) {
    for (std::size_t m = 0; m < meetings.size(); ++m) {
      UplinkFrame frame;
      frame.seq = i;
      frame.capture_us = i * 20'000;
      frame.payload = audio[(i + m * 37) % audio.size()];  // Streams are not in step.
      meetings[m]->on_frame(0, std::move(frame));
      meetings[m]->tick();
    }
    clock.advance_us(20'000);
  }
  return (thread_cpu_ms() - start_ms) / (static_cast<double>(streams) * seconds);
}

void report(const char* what, double ms) {
  std::printf(
      "%-34s %6.2f ms CPU per stream-second  %5.0f streams per core\n", what, ms, 1000.0 / ms);
}

}  // namespace
}  // namespace qylon::media

int main(int argc, char** argv) {
  const int streams = argc > 1 ? std::atoi(argv[1]) : 100;
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 20;
  QYLON_CHECK(static_cast<bool>(qylon::media::StreamGraph::init_graphs()));
  using qylon::media::cpu_ms_per_stream_second;
  qylon::media::report("one person per track, Opus",
                       cpu_ms_per_stream_second(streams, seconds, "Ann"));
  qylon::media::report("mixed track with diarization, Opus",
                       cpu_ms_per_stream_second(streams, seconds, ""));
  return 0;
}
