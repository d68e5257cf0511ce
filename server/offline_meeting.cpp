#include "server/offline_meeting.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <utility>

namespace qylon::server {
namespace {

constexpr std::size_t kFrameSamples = 320;  // 20 ms at 16 kHz, as an uplink would send.
constexpr std::int64_t kFrameUs = 20'000;
constexpr std::size_t kResultsMax = 65'536;

media::UplinkHello make_hello(MeetingId meeting) {
  media::UplinkHello hello;
  hello.meeting = meeting;
  hello.clock = ClockId::random();
  hello.clock_start_ms = 0;
  media::TrackHello track;
  track.format = {
      .codec = media::Codec::kPcmF32le, .sample_rate_hz = media::kPipelineRateHz, .channels = 1};
  hello.tracks.push_back(std::move(track));
  return hello;
}

Transcript empty_transcript(std::string title, std::int64_t recorded_us) {
  Transcript transcript;
  transcript.meeting.title = std::move(title);
  transcript.meeting.created_us = recorded_us;
  return transcript;
}

media::MeetingRecord new_record(const MeetingInfo& info) {
  media::MeetingRecord record;
  record.info = info;
  return record;
}

}  // namespace

class OfflineMeeting::ResultQueue final : public models::RecogniserSink {
 public:
  void on_result(models::RecogniserResult result) override {
    if (result.kind == models::RecogniserResult::Kind::kPartial) return;
    // Finals are bounded by kLagMsMax of speech, far below the queue.
    static_cast<void>(queue_.try_push(std::move(result)));
  }
  std::optional<models::RecogniserResult> pop_for(std::chrono::microseconds wait) {
    return queue_.pop_for(wait);
  }

 private:
  BoundedQueue<models::RecogniserResult> queue_{kResultsMax};
};

OfflineMeeting::OfflineMeeting(std::string title,
                               std::int64_t recorded_us,
                               Counters& counters,
                               models::Recogniser& recogniser,
                               std::shared_ptr<const diarization::EmbeddingModel> voice_model)
    : clock_(recorded_us),
      recogniser_(recogniser),
      transcript_(empty_transcript(std::move(title), recorded_us)),
      results_(std::make_shared<ResultQueue>()),
      meeting_(new_record(transcript_.meeting),
               {.clock = clock_,
                .counters = counters,
                .sink = *this,
                .recorder = nullptr,
                .recogniser = recogniser,
                .voice_model = std::move(voice_model),
                .result_sink = [results = results_](MeetingId, TrackId) { return results; }}) {}

void OfflineMeeting::on_final(CaptionPtr caption) {
  if (caption->change) {
    apply_change(*caption->change, transcript_.captions);
  } else {
    transcript_.captions.push_back(*caption);
  }
}

void OfflineMeeting::take_results(std::chrono::microseconds wait) {
  while (auto result = results_->pop_for(wait))
    meeting_.on_result(0, *std::move(result));
}

Status OfflineMeeting::feed(media::PcmReader& reader) {
  std::array<float, kFrameSamples> samples{};
  for (std::uint64_t seq = 0;; ++seq) {
    const auto count = reader.read(samples);
    if (!count) return count.error();
    if (*count == 0) return ok();
    media::UplinkFrame frame;
    frame.seq = seq;
    frame.capture_us = seq * static_cast<std::uint64_t>(kFrameUs);
    frame.payload.resize(*count * sizeof(float));
    std::memcpy(frame.payload.data(), samples.data(), frame.payload.size());
    meeting_.on_frame(0, std::move(frame));
    clock_.advance_us(kFrameUs);
    meeting_.tick();
    take_results({});
    while (recogniser_.lag_ms() > kLagMsMax)
      take_results(std::chrono::milliseconds(20));
  }
}

Status OfflineMeeting::run(media::PcmReader& reader) {
  const auto opened = meeting_.open_tracks(make_hello(transcript_.meeting.id));
  if (!opened) return opened.error();
  const Status fed = feed(reader);
  bool ended = false;
  meeting_.end([&ended](const Status&) { ended = true; });
  while (!ended) {
    take_results(std::chrono::milliseconds(20));
    meeting_.tick();
  }
  return fed;
}

}  // namespace qylon::server
