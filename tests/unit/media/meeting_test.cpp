#include "media/meeting.hpp"

#include <cstring>
#include <filesystem>

#include <gtest/gtest.h>

#include "media/opus_encoder.hpp"
#include "media/stream_graph.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/ogg_opus_reader.hpp"
#include "tests/support/scripted_recogniser.hpp"
#include "tests/support/voice_signal.hpp"

namespace qylon::media {
namespace {

/// Remembers everything that a meeting says.
class Recorded final : public MeetingSink {
 public:
  void on_opened(const MeetingInfo& /*meeting*/) override { ++opened; }
  void on_closed(MeetingId /*meeting*/) override { ++closed; }
  void on_started(MeetingId /*meeting*/, std::int64_t started) override { started_us = started; }
  void on_track(MeetingId /*meeting*/, const TrackRecord& track) override {
    tracks.push_back(track);
  }
  void on_audio(MeetingId /*meeting*/,
                ClockId clock,
                UplinkFrame frame,
                std::function<void(bool)> synced) override {
    clock_of_audio = clock;
    journalled.push_back(frame.seq);
    synced(durable);
    if (!durable) refused.push_back(std::move(synced));
  }
  void on_interim(CaptionPtr caption) override { interims.push_back(std::move(caption)); }
  void on_final(CaptionPtr caption) override { finals.push_back(std::move(caption)); }
  void on_status(std::shared_ptr<const MeetingStatus> status) override { newest = *status; }
  void on_voices(MeetingId /*meeting*/, std::vector<StoredVoice> values) override {
    voices = std::move(values);
  }
  void on_levels(MeetingId /*meeting*/, std::vector<TrackLevel> values) override {
    levels = std::move(values);
  }
  void on_ended(MeetingId /*meeting*/, std::function<void(Status)> done) override { done(ok()); }

  int opened = 0;
  int closed = 0;
  std::int64_t started_us = 0;
  bool durable = true;
  ClockId clock_of_audio;
  std::vector<std::function<void(bool)>> refused;
  std::vector<TrackRecord> tracks;
  std::vector<std::uint64_t> journalled;
  std::vector<CaptionPtr> interims;
  std::vector<CaptionPtr> finals;
  MeetingStatus newest;
  std::vector<TrackLevel> levels;
  std::vector<StoredVoice> voices;
};

constexpr std::int64_t kFrameUs = 20'000;

class MeetingTest : public ::testing::Test {
 protected:
  class Sink final : public models::RecogniserSink {
   public:
    Sink(MeetingTest& test, TrackId track) : test_(test), track_(track) {}
    void on_result(models::RecogniserResult result) override {
      test_.meeting_->on_result(track_, std::move(result));
    }

   private:
    MeetingTest& test_;
    const TrackId track_;
  };

  static void SetUpTestSuite() { ASSERT_TRUE(StreamGraph::init_graphs()); }

  MeetingTest() {
    auto model = diarization::EmbeddingModel::load_default();
    EXPECT_TRUE(model);
    model_ = *std::move(model);
    record_.info.id = MeetingId::random();
    record_.info.title = "Weekly";
    record_.info.glossary = {"kubernetes"};
    open();
  }

  void open() {
    meeting_ =
        std::make_unique<Meeting>(record_,
                                  Meeting::Parts{.clock = clock_,
                                                 .counters = counters_,
                                                 .sink = sink_,
                                                 .recorder = recorder_.get(),
                                                 .recogniser = recogniser_,
                                                 .voice_model = model_,
                                                 .result_sink = [this](MeetingId, TrackId track) {
                                                   return std::make_shared<Sink>(*this, track);
                                                 }});
  }

  /// A hello for PCM tracks 0.. of the given people, on one clock.
  UplinkHello hello(const std::vector<std::string>& speakers) {
    UplinkHello hello;
    hello.meeting = record_.info.id;
    hello.clock = clock_id_;
    for (const std::string& speaker : speakers) {
      TrackHello track;
      track.track = static_cast<TrackId>(hello.tracks.size());
      track.format = {Codec::kPcmF32le, 16000, 1};
      track.speaker = speaker;
      hello.tracks.push_back(std::move(track));
    }
    return hello;
  }

  /// Sends `milliseconds` of something that is plainly voiced, or of silence, in 20 ms frames.
  void send(TrackId track, int milliseconds, bool voiced) {
    for (int i = 0; i < milliseconds / 20; ++i) {
      UplinkFrame frame;
      frame.track = track;
      frame.seq = seq_[track]++;
      frame.capture_us = capture_us_[track];
      frame.payload = pcm(capture_us_[track], voiced);
      capture_us_[track] += kFrameUs;
      meeting_->on_frame(track, std::move(frame));
      clock_.advance_us(kFrameUs);
      meeting_->tick();
    }
  }

  static std::vector<std::uint8_t> pcm(std::uint64_t at_us, bool voiced) {
    std::vector<float> samples(320, 0.0F);
    if (voiced)
      samples = test::voice_signal(static_cast<std::int64_t>(at_us) * 16 / 1000, 320, 16000);
    std::vector<std::uint8_t> bytes(samples.size() * sizeof(float));
    std::memcpy(bytes.data(), samples.data(), bytes.size());
    return bytes;
  }

  test::FakeClock clock_;
  Counters counters_;
  Recorded sink_;
  test::ScriptedRecogniser recogniser_;
  std::shared_ptr<const diarization::EmbeddingModel> model_;
  std::unique_ptr<Recorder> recorder_;  // Null: nothing is recorded.
  MeetingRecord record_;
  ClockId clock_id_ = ClockId::random();
  std::map<TrackId, std::uint64_t> seq_;
  std::map<TrackId, std::uint64_t> capture_us_;
  std::unique_ptr<Meeting> meeting_;
};

TEST_F(MeetingTest, SpeechOnAPersonsTrackBecomesTheirCaption) {
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann"})));
  send(0, 1000, false);
  send(0, 2000, true);
  send(0, 1500, false);
  ASSERT_EQ(recogniser_.segments.size(), 1U);
  recogniser_.answer(1, {"hello"});
  ASSERT_EQ(sink_.finals.size(), 1U);
  const Caption& caption = *sink_.finals[0];
  EXPECT_EQ(caption.meeting, record_.info.id);
  EXPECT_EQ(caption.offset, 1U);
  EXPECT_EQ(caption.speaker.key, "t0");
  EXPECT_EQ(caption.speaker.name, "Ann");
  EXPECT_NEAR(static_cast<double>(caption.start_ms), 850.0, 200.0);
  EXPECT_NEAR(static_cast<double>(caption.end_ms), 3150.0, 300.0);
}

TEST_F(MeetingTest, TitleGlossaryAndPeopleAreTheVocabulary) {
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann", "Bob"})));
  send(0, 20, false);
  EXPECT_EQ(recogniser_.vocabulary,
            (std::vector<std::string>{"kubernetes", "Weekly", "Ann", "Bob"}));
}

TEST_F(MeetingTest, OffsetsRiseOverAllTracks) {
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann", "Bob"})));
  capture_us_[1] = 4'000'000;  // The same sound at the same time would be bleed.
  for (const TrackId track : {TrackId{0}, TrackId{1}}) {
    send(track, 500, false);
    send(track, 1000, true);
    send(track, 1000, false);
  }
  recogniser_.answer(2, {"b"});
  recogniser_.answer(1, {"a"});
  ASSERT_EQ(sink_.finals.size(), 2U);
  EXPECT_EQ(sink_.finals[0]->offset, 1U);
  EXPECT_EQ(sink_.finals[1]->offset, 2U);
}

TEST_F(MeetingTest, AMeetingThatIsOpenedAgainGoesOnCounting) {
  record_.last_offset = 41;
  record_.last_segment = 60;
  open();
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann"})));
  send(0, 500, false);
  send(0, 1000, true);
  send(0, 1000, false);
  recogniser_.answer(61, {"a"});
  ASSERT_EQ(sink_.finals.size(), 1U);
  EXPECT_EQ(sink_.finals[0]->offset, 42U);
}

TEST_F(MeetingTest, TheSameClockContinuesWhereItWasAfterARestart) {
  TrackRecord track;
  track.clock = clock_id_;
  track.clock_zero_ms = 5000;
  record_.tracks = {track};
  record_.info.started_us = clock_.wall_us() - 60'000'000;
  open();
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann"})));
  capture_us_[0] = 30'000'000;
  send(0, 1000, true);
  EXPECT_EQ(sink_.tracks.back().clock_zero_ms, 5000);
  meeting_->end([](const Status&) {});
  EXPECT_EQ(sink_.newest.position_ms, 36'000);
}

TEST_F(MeetingTest, AudioWithoutAFinalIsHeardAgainAfterARestart) {
  TrackRecord track;
  track.clock = clock_id_;
  record_.tracks = {track};
  record_.info.started_us = clock_.wall_us() - 60'000'000;
  JournalledAudio audio{clock_id_, {}, 2000};
  for (std::uint64_t seq = 0; seq < 200; ++seq) {  // 4 s, the first two of them with finals.
    const bool voiced = seq < 100 || seq >= 125;
    audio.frames.push_back({0, 0, seq, seq * 20'000, pcm(seq * 20'000, voiced)});
  }
  record_.journalled[0] = audio;
  open();
  const auto states = meeting_->open_tracks(hello({"Ann"}));
  ASSERT_TRUE(states);
  EXPECT_EQ(states->front()->next_seq, 200U);
  EXPECT_EQ(states->front()->durable.seq(), 200U);
  EXPECT_TRUE(sink_.journalled.empty());
  seq_[0] = 200;
  capture_us_[0] = 4'000'000;
  send(0, 1000, false);
  ASSERT_EQ(recogniser_.segments.size(), 1U);
  recogniser_.answer(1, {"again"});
  ASSERT_EQ(sink_.finals.size(), 1U);
  EXPECT_NEAR(static_cast<double>(sink_.finals[0]->start_ms), 2350.0, 300.0);
  EXPECT_NEAR(static_cast<double>(sink_.finals[0]->end_ms), 4150.0, 300.0);
}

TEST_F(MeetingTest, AnEndHearsWhatTheJournalHasOfASenderWhoNeverCameBack) {
  TrackRecord track;
  track.hello = hello({"Ann"}).tracks[0];
  track.clock = clock_id_;
  record_.tracks = {track};
  record_.info.started_us = clock_.wall_us() - 60'000'000;
  record_.info.state = MeetingState::kEnding;  // As it is stored before the shard hears of it.
  JournalledAudio audio{clock_id_, {}, 0};
  for (std::uint64_t seq = 0; seq < 150; ++seq)
    audio.frames.push_back({0, 0, seq, seq * 20'000, pcm(seq * 20'000, seq >= 50)});
  record_.journalled[0] = audio;
  open();
  meeting_->resume(record_.tracks);
  bool ended = false;
  meeting_->end([&](const Status& status) { ended = static_cast<bool>(status); });
  ASSERT_EQ(recogniser_.segments.size(), 1U);
  recogniser_.answer(1, {"last", "words"});
  meeting_->tick();
  EXPECT_TRUE(ended);
  ASSERT_EQ(sink_.finals.size(), 1U);
  EXPECT_EQ(sink_.finals[0]->text, "last words");
  EXPECT_EQ(sink_.newest.position_ms, 3000);
}

TEST_F(MeetingTest, WhatAKilledRecorderHadNotWrittenIsRecordedAfterARestart) {
  const std::string folder = std::string(QYLON_TEST_BINARY_DIR) + "/recorded_again";
  std::filesystem::remove_all(folder);
  const Log log(clock_, LogLevel::kError);
  auto encoder = OpusPacketEncoder::create({});
  ASSERT_TRUE(encoder);
  std::vector<std::vector<std::uint8_t>> packets;
  for (std::int64_t i = 0; i < 200; ++i) {
    const auto packet = encoder->encode(test::voice_signal(i * 960, 960, 48'000));
    packets.emplace_back(packet.begin(), packet.end());
  }
  TrackRecord track;
  track.clock = clock_id_;
  record_.tracks = {track};
  record_.info.started_us = clock_.wall_us() - 60'000'000;
  JournalledAudio audio{clock_id_, {}, 2000};  // The first two seconds have finals.
  for (std::uint64_t seq = 0; seq < 200; ++seq)
    audio.frames.push_back({0, 0, seq, seq * 20'000, packets[seq]});
  record_.journalled[0] = audio;
  UplinkHello opus = hello({"Ann"});
  opus.tracks[0].format = {Codec::kOpus, 48'000, 1};
  std::string file;
  for (const std::int64_t recorded : {70, 110}) {  // Before and after the last final's end.
    auto recorder = Recorder::create({.directory = folder}, clock_, counters_, log);
    ASSERT_TRUE(recorder);
    recorder_ = *std::move(recorder);
    file = recorder_->path(record_.info.id, 0);
    std::filesystem::remove(file);
    for (std::int64_t i = 0; i < recorded; ++i) {
      recorder_->write(
          record_.info.id, 0, opus.tracks[0].format, i * 960, packets[static_cast<std::size_t>(i)]);
    }
    recorder_.reset();  // The kill.
    recorder_ = *Recorder::create({.directory = folder}, clock_, counters_, log);
    open();
    ASSERT_TRUE(meeting_->open_tracks(opus));
    meeting_.reset();
    recorder_.reset();
    EXPECT_EQ(test::read_ogg_opus(file).packets, packets) << recorded << " were recorded";
  }
  std::filesystem::remove_all(folder);
}

TEST_F(MeetingTest, JournalledAudioOfAnotherClockOnlyStays) {
  JournalledAudio audio{ClockId::random(), {}, 0};
  audio.frames.push_back({0, 0, 7, 0, pcm(0, true)});
  record_.journalled[0] = audio;
  open();
  const auto states = meeting_->open_tracks(hello({"Ann"}));
  ASSERT_TRUE(states);
  EXPECT_EQ(states->front()->next_seq, 0U);
}

TEST_F(MeetingTest, ANewClockIsAnchoredAtThePresent) {
  record_.info.started_us = clock_.wall_us() - 60'000'000;
  open();
  clock_.advance_ms(3000);
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann"})));
  EXPECT_EQ(sink_.tracks.back().clock_zero_ms, 63'000);
}

TEST_F(MeetingTest, AToldStartAnchorsTheClock) {
  UplinkHello told = hello({"Ann"});
  told.clock_start_ms = 120'000;
  ASSERT_TRUE(meeting_->open_tracks(told));
  send(0, 100, false);
  meeting_->end([](const Status&) {});
  EXPECT_EQ(sink_.newest.position_ms, 120'100);
}

TEST_F(MeetingTest, ATrackOfASlowClockIsDatedByTheServers) {
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann"})));
  constexpr int kFrames = 10 * 60 * 50;  // Ten minutes.
  for (int frame = 0; frame < kFrames; ++frame) {
    send(0, 20, false);
    clock_.advance_us(2);  // The sender's clock is 100 parts per million slow: 60 ms by now.
  }
  meeting_->end([](const Status&) {});
  EXPECT_NEAR(static_cast<double>(sink_.newest.position_ms), 600'060.0, 2.0);
}

TEST_F(MeetingTest, ALongGapCostsNoTimeAndKeepsTheClockExact) {
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann"})));
  send(0, 1000, false);
  capture_us_[0] += 9'000'000;
  send(0, 1000, false);
  meeting_->end([](const Status&) {});
  EXPECT_EQ(sink_.newest.position_ms, 11'000);
}

TEST_F(MeetingTest, DuplicatesAreJournalledOnce) {
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann"})));
  send(0, 100, false);
  seq_[0] = 3;
  capture_us_[0] = 3 * kFrameUs;
  send(0, 100, false);
  EXPECT_EQ(sink_.journalled, (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST_F(MeetingTest, WatermarksFollowWhatIsSettledAndWhatIsDurable) {
  const auto states = meeting_->open_tracks(hello({"Ann"}));
  ASSERT_TRUE(states);
  const TrackState& state = *states->front();
  send(0, 100, false);
  EXPECT_EQ(state.next_seq, 5U);
  EXPECT_EQ(state.durable.seq(), 5U);
  EXPECT_EQ(state.heard_ms, 100);
  EXPECT_EQ(sink_.clock_of_audio, clock_id_);
  sink_.durable = false;
  send(0, 20, false);
  EXPECT_EQ(state.next_seq, 6U);
  EXPECT_EQ(state.durable.seq(), std::nullopt);
}

TEST_F(MeetingTest, NothingIsDurableWhileAnEarlierFrameIsNot) {
  const auto states = meeting_->open_tracks(hello({"Ann"}));
  ASSERT_TRUE(states);
  const TrackState& state = *states->front();
  sink_.durable = false;
  send(0, 40, false);
  sink_.durable = true;
  send(0, 20, false);
  EXPECT_EQ(state.durable.seq(), std::nullopt);
  sink_.refused[0](true);
  EXPECT_EQ(state.durable.seq(), std::nullopt);
  sink_.refused[1](true);
  EXPECT_EQ(state.durable.seq(), 3U);
}

TEST_F(MeetingTest, ReportsOnAnEarlierClockDoNotCount) {
  const auto states = meeting_->open_tracks(hello({"Ann"}));
  ASSERT_TRUE(states);
  sink_.durable = false;
  send(0, 100, false);
  UplinkHello another = hello({"Ann"});
  another.clock = ClockId::random();
  ASSERT_TRUE(meeting_->open_tracks(another));
  EXPECT_EQ(states->front()->durable.seq(), 0U);
  for (const auto& late : sink_.refused)
    late(true);
  EXPECT_EQ(states->front()->durable.seq(), 0U);
}

TEST_F(MeetingTest, AnotherFormatForATrackIsRefusedAndSaysWhy) {
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann"})));
  UplinkHello other = hello({"Ann"});
  other.tracks[0].format = {Codec::kOpus, 48000, 1};
  const auto opened = meeting_->open_tracks(other);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(opened.error().message.find("another codec"), std::string::npos);
}

TEST_F(MeetingTest, EndingWaitsForTheLastFinalAndThenTakesNoMore) {
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann"})));
  send(0, 500, false);
  send(0, 1000, true);
  bool ended = false;
  meeting_->end([&ended](const Status& status) { ended = static_cast<bool>(status); });
  meeting_->tick();
  EXPECT_FALSE(ended);
  EXPECT_EQ(sink_.newest.state, MeetingState::kEnding);
  recogniser_.answer(1, {"bye"});
  meeting_->tick();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(meeting_->finished());
  EXPECT_EQ(sink_.newest.state, MeetingState::kEnded);
  const auto opened = meeting_->open_tracks(hello({"Ann"}));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kConflict);
}

TEST_F(MeetingTest, AnEndDoesNotWaitForeverForTheRecogniser) {
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann"})));
  send(0, 500, false);
  send(0, 1000, true);
  recogniser_.answer(1, {"bye"}, models::RecogniserResult::Kind::kPartial);
  bool ended = false;
  meeting_->end([&ended](const Status&) { ended = true; });
  clock_.advance_ms(121'000);
  meeting_->tick();
  EXPECT_TRUE(ended);
  ASSERT_EQ(sink_.finals.size(), 1U);
  EXPECT_EQ(sink_.finals[0]->text, "bye");
}

TEST_F(MeetingTest, SilenceOnTheWireEndsTheUtterance) {
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann"})));
  send(0, 500, false);
  send(0, 1000, true);
  EXPECT_EQ(recogniser_.segments.at(1).end, -1);
  clock_.advance_ms(2000);
  meeting_->tick();
  EXPECT_GT(recogniser_.segments.at(1).end, 0);
}

TEST_F(MeetingTest, StatusTellsTracksAndWhoSpeaks) {
  const auto states = meeting_->open_tracks(hello({"Ann"}));
  ASSERT_TRUE(states);
  send(0, 500, false);
  send(0, 2000, true);
  EXPECT_EQ(sink_.newest.state, MeetingState::kLive);
  ASSERT_EQ(sink_.newest.tracks.size(), 1U);
  EXPECT_TRUE(sink_.newest.tracks[0].connected);
  EXPECT_EQ(sink_.newest.speaking, std::vector<std::string>{"t0"});
  meeting_->on_disconnect(0, states->front()->owner);
  EXPECT_FALSE(sink_.newest.tracks[0].connected);
}

TEST_F(MeetingTest, LevelsOfAQuietTrackLieAtTheFloor) {
  ASSERT_TRUE(meeting_->open_tracks(hello({"Ann"})));
  send(0, 500, false);
  ASSERT_EQ(sink_.levels.size(), 1U);
  EXPECT_FLOAT_EQ(sink_.levels[0].rms_dbfs, -100.0F);
  EXPECT_FALSE(sink_.levels[0].silent) << "not for three seconds yet";
  send(0, 3000, false);
  EXPECT_TRUE(sink_.levels[0].silent);
}

TEST_F(MeetingTest, AnIdleMeetingGivesItsMemoryBack) {
  const auto states = meeting_->open_tracks(hello({"Ann"}));
  ASSERT_TRUE(states);
  send(0, 100, false);
  meeting_->on_disconnect(0, states->front()->owner);
  EXPECT_FALSE(meeting_->finished());
  clock_.advance_ms(601'000);
  meeting_->tick();
  EXPECT_TRUE(meeting_->finished());
  meeting_.reset();
  EXPECT_EQ(sink_.closed, sink_.opened);
}

}  // namespace
}  // namespace qylon::media
