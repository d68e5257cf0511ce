#include "media/recording.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <future>
#include <numbers>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "media/opus_encoder.hpp"
#include "media/recording_file.hpp"
#include "media/recording_track.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/ogg_opus_reader.hpp"

namespace qylon::media {
namespace {

constexpr AudioFormat kOpus{Codec::kOpus, 48000, 1};
constexpr std::int64_t kFrame = 960;
constexpr std::int64_t kSecond = 48000;
using Bytes = std::vector<std::uint8_t>;

/// `samples` of a 1 kHz tone of 0.5 full scale from sample `begin` on.
std::vector<float> tone(int rate_hz, std::int64_t begin, std::int64_t samples) {
  std::vector<float> out;
  for (std::int64_t n = begin; n < begin + samples; ++n) {
    const double phase = 2.0 * std::numbers::pi * 1000.0 * static_cast<double>(n);
    out.push_back(static_cast<float>(0.5 * std::sin(phase / rate_hz)));
  }
  return out;
}

Bytes as_f32le(const std::vector<float>& samples) {
  Bytes bytes(samples.size() * 4);
  std::memcpy(bytes.data(), samples.data(), bytes.size());
  return bytes;
}

/// `count` packets of 20 ms of a tone.
std::vector<Bytes> tone_packets(int count) {
  auto encoder = OpusPacketEncoder::create({});
  std::vector<Bytes> packets;
  for (int index = 0; index < count; ++index) {
    const auto packet = encoder->encode(tone(48000, index * kFrame, kFrame));
    packets.emplace_back(packet.begin(), packet.end());
  }
  return packets;
}

float peak(const std::vector<float>& samples, std::int64_t begin, std::int64_t end) {
  float highest = 0.0F;
  for (std::int64_t n = begin; n < end; ++n)
    highest = std::max(highest, std::abs(samples.at(static_cast<std::size_t>(n))));
  return highest;
}

class RecordingTest : public testing::Test {
 protected:
  RecordingTest()
      : folder_(std::filesystem::path(QYLON_TEST_BINARY_DIR) / "recording_test" /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~RecordingTest() override { std::filesystem::remove_all(folder_); }

  std::string file() const { return (folder_ / "track.opus").string(); }
  std::unique_ptr<RecordingTrack> open(const AudioFormat& format) {
    auto track = RecordingTrack::open(file(), format);
    EXPECT_TRUE(track) << track.error().message;
    return track ? *std::move(track) : nullptr;
  }

  const std::filesystem::path folder_;
};

TEST_F(RecordingTest, OpusPacketsAreKeptUnchanged) {
  const auto packets = tone_packets(120);
  const auto track = open({Codec::kOpus, 48000, 2});
  for (std::size_t index = 0; index < packets.size(); ++index)
    ASSERT_TRUE(track->write(static_cast<std::int64_t>(index) * kFrame, packets[index]));
  ASSERT_TRUE(track->finish());
  const auto ogg = test::read_ogg_opus(file());
  EXPECT_EQ(ogg.packets, packets);
  EXPECT_EQ(ogg.channels, 2);
  EXPECT_EQ(ogg.pre_skip, 0);
  EXPECT_EQ(ogg.granule, 120 * kFrame);
  EXPECT_EQ(ogg.end_pages, 1);
}

TEST_F(RecordingTest, AGapIsSilenceOfExactlyItsLength) {
  const auto packets = tone_packets(50);
  const std::int64_t gap = 3 * kSecond + 840;  // 3 s + 20 ms - 2.5 ms.
  const auto track = open(kOpus);
  for (std::int64_t index = 0; index < 50; ++index) {
    const std::int64_t position = index * kFrame + (index < 25 ? 0 : gap);
    ASSERT_TRUE(track->write(position, packets[static_cast<std::size_t>(index)]));
  }
  ASSERT_TRUE(track->finish());
  const auto ogg = test::read_ogg_opus(file());
  EXPECT_EQ(ogg.samples.size(), static_cast<std::size_t>(50 * kFrame + gap));
  // What the codec lets ring into the gap is over after one frame.
  EXPECT_LT(peak(ogg.samples, 26 * kFrame, 25 * kFrame + gap), 1e-4F);
  EXPECT_GT(peak(ogg.samples, 30 * kFrame + gap, 50 * kFrame + gap), 0.4F);
}

TEST_F(RecordingTest, ATrackThatBeginsLaterBeginsWithSilence) {
  const auto track = open(kOpus);
  ASSERT_TRUE(track->write(600 * kSecond, tone_packets(1)[0]));
  ASSERT_TRUE(track->finish());
  EXPECT_EQ(test::read_ogg_opus(file()).granule, 600 * kSecond + kFrame);
  EXPECT_LT(std::filesystem::file_size(file()), 100'000U) << "ten minutes of silence are small";
}

TEST_F(RecordingTest, RepetitionsAndNonsenseAreNotRecorded) {
  const auto packets = tone_packets(50);
  const auto track = open(kOpus);
  for (std::int64_t index = 0; index < 50; ++index)
    ASSERT_TRUE(track->write(index * kFrame, packets[static_cast<std::size_t>(index)]));
  EXPECT_EQ(*track->write(10 * kFrame, packets[10]), RecordingTrack::Written::kOld);
  EXPECT_EQ(*track->write(50 * kFrame, Bytes{0xFF, 0x00}), RecordingTrack::Written::kNoPacket);
  EXPECT_EQ(*track->write(25LL * 3600 * kSecond, packets[0]), RecordingTrack::Written::kTooFar);
  ASSERT_TRUE(track->finish());
  EXPECT_EQ(test::read_ogg_opus(file()).packets.size(), 50U);
}

TEST_F(RecordingTest, PositionsOnACoarserGridLoseNothing) {
  const auto packets = tone_packets(100);
  const auto track = open(kOpus);
  for (std::int64_t index = 0; index < 100; ++index) {
    const std::int64_t position = index * kFrame / 480 * 480 - index % 3 * 160;
    EXPECT_EQ(*track->write(position, packets[static_cast<std::size_t>(index)]),
              RecordingTrack::Written::kYes);
  }
  ASSERT_TRUE(track->finish());
  EXPECT_EQ(test::read_ogg_opus(file()).packets, packets);
}

TEST_F(RecordingTest, WhatIsWrittenAgainFromAnywhereIsRecordedOnce) {
  const auto packets = tone_packets(60);
  for (std::int64_t from = 0; from < 60; ++from) {
    std::filesystem::remove(file());
    const auto track = open(kOpus);
    for (std::int64_t index = 0; index < 40; ++index)
      ASSERT_TRUE(track->write(index * kFrame, packets[static_cast<std::size_t>(index)]));
    for (std::int64_t index = std::min<std::int64_t>(from, 40); index < 60; ++index)
      ASSERT_TRUE(track->write(index * kFrame, packets[static_cast<std::size_t>(index)]));
    ASSERT_TRUE(track->finish());
    ASSERT_EQ(test::read_ogg_opus(file()).packets, packets) << "again from " << from;
    ASSERT_EQ(RecordingFile::end_48k(file()), 60 * kFrame);
  }
  EXPECT_EQ(RecordingFile::end_48k(file() + ".none"), 0);
}

TEST_F(RecordingTest, PcmOfEveryRateIsEncodedInPlace) {
  for (const int rate_hz : {6000, 8000, 11025, 16000, 22050, 22254, 44100, 48000, 48003, 192000}) {
    std::filesystem::remove(file());
    const auto track = open({Codec::kPcmF32le, rate_hz, 1});
    // A second of silence, then a second of the tone, in packets of 20 ms.
    std::vector<float> sound(static_cast<std::size_t>(rate_hz), 0.0F);
    const auto sounding = tone(rate_hz, 0, rate_hz);
    sound.insert(sound.end(), sounding.begin(), sounding.end());
    const auto step = static_cast<std::size_t>(rate_hz / 50);
    for (std::size_t at = 0; at < sound.size(); at += step) {
      const auto end =
          sound.begin() + static_cast<std::ptrdiff_t>(std::min(at + step, sound.size()));
      const std::vector<float> part(sound.begin() + static_cast<std::ptrdiff_t>(at), end);
      ASSERT_TRUE(track->write(static_cast<std::int64_t>(at) * kSecond / rate_hz, as_f32le(part)));
    }
    ASSERT_TRUE(track->finish());
    const auto ogg = test::read_ogg_opus(file());
    EXPECT_NEAR(static_cast<double>(ogg.samples.size()), 2.0 * kSecond, 2.0 * kFrame) << rate_hz;
    // Up to 10 ms for the codec's pre-echo and our resampler's delay.
    EXPECT_LT(peak(ogg.samples, kFrame, kSecond - 480), 0.05F) << rate_hz;
    EXPECT_GT(peak(ogg.samples, kSecond, kSecond + 480), 0.3F) << rate_hz;
    EXPECT_GT(peak(ogg.samples, 2 * kSecond - 480, 2 * kSecond - 240), 0.3F) << rate_hz;
  }
}

TEST_F(RecordingTest, ALongPauseOfPcmIsExactToo) {
  const AudioFormat format{Codec::kPcmF32le, 16000, 1};
  const auto track = open(format);
  const std::int64_t late = 10 * kSecond + 333;
  ASSERT_TRUE(track->write(0, as_f32le(tone(16000, 0, 1600))));
  ASSERT_TRUE(track->write(late, as_f32le(tone(16000, 0, 1600))));
  ASSERT_TRUE(track->finish());
  const auto ogg = test::read_ogg_opus(file());
  EXPECT_LT(peak(ogg.samples, kSecond, late - 480), 1e-3F);
  EXPECT_GT(peak(ogg.samples, late, late + 480), 0.3F);
}

TEST_F(RecordingTest, AFileCanBeReadWhileItGrows) {
  const auto packets = tone_packets(125);
  const auto track = open(kOpus);
  for (std::int64_t index = 0; index < 125; ++index) {
    ASSERT_TRUE(track->write(index * kFrame, packets[static_cast<std::size_t>(index)]));
    const auto ogg = test::read_ogg_opus(file());
    EXPECT_GT(ogg.granule, (index + 1) * kFrame - kSecond - 1);
  }
}

TEST_F(RecordingTest, AFinishedFileCanBeContinued) {
  const auto packets = tone_packets(20);
  for (std::int64_t index = 0; index < 20; ++index) {
    const auto track = open(kOpus);  // A restart after every packet.
    ASSERT_TRUE(track->write(index * kFrame, packets[static_cast<std::size_t>(index)]));
    ASSERT_TRUE(track->finish());
    EXPECT_EQ(test::read_ogg_opus(file()).end_pages, 1);
  }
  EXPECT_EQ(test::read_ogg_opus(file()).packets, packets);
}

TEST_F(RecordingTest, AFileCutAnywhereIsContinued) {
  const auto packets = tone_packets(150);
  {
    const auto track = open(kOpus);
    for (std::int64_t index = 0; index < 150; ++index)
      ASSERT_TRUE(track->write(index * kFrame, packets[static_cast<std::size_t>(index)]));
    ASSERT_TRUE(track->finish());
  }
  const std::vector<char> whole = test::read_bytes(file());
  for (std::size_t cut = 0; cut < whole.size(); cut += 41) {
    {
      std::ofstream torn(file(), std::ios::binary | std::ios::trunc);
      torn.write(whole.data(), static_cast<std::streamsize>(cut));
    }
    const auto track = open(kOpus);
    ASSERT_TRUE(track->write(150 * kFrame, packets[0]));
    ASSERT_TRUE(track->flush());
    const auto ogg = test::read_ogg_opus(file());
    ASSERT_EQ(ogg.granule, 151 * kFrame) << "cut at " << cut;
    ASSERT_FALSE(HasFailure()) << "cut at " << cut;
  }
}

TEST_F(RecordingTest, AFileThatIsNoRecordingIsSetAside) {
  {
    std::ofstream other(file(), std::ios::binary);
    other << std::string(5000, 'x');
  }
  const auto track = open(kOpus);
  ASSERT_TRUE(track->write(0, tone_packets(1)[0]));
  ASSERT_TRUE(track->finish());
  EXPECT_EQ(test::read_ogg_opus(file()).granule, kFrame);
  EXPECT_EQ(std::filesystem::file_size(file() + ".damaged"), 5000U);
}

TEST_F(RecordingTest, AFullDiskLeavesAWholeFile) {
  const auto packets = tone_packets(100);
  auto track = open(kOpus);
  // A limit on the size of files stands in for the disk: write(2) takes less and then fails.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit limit{10'000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::int64_t index = 0;
  while (index < 2000 &&
         track->write(index * kFrame, packets[static_cast<std::size_t>(index % 100)]))
    ++index;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_DFL);
  ASSERT_LT(index, 2000);
  EXPECT_GT(test::read_ogg_opus(file()).granule, kSecond / 2);

  track = open(kOpus);
  ASSERT_TRUE(track->write(index * kFrame, packets[0]));
  ASSERT_TRUE(track->finish());
  EXPECT_EQ(test::read_ogg_opus(file()).granule, (index + 1) * kFrame);
}

/// A recorder under a clock that stands still, and ways to wait for its thread.
class RecorderTest : public RecordingTest {
 protected:
  std::unique_ptr<Recorder> make_recorder(Recorder::Options options = {}) {
    options.directory = (folder_ / "recordings").string();
    auto recorder = Recorder::create(options, clock_, counters_, log_);
    EXPECT_TRUE(recorder);
    return *std::move(recorder);
  }
  /// Returns when everything queued before is done, and the round after it.
  void wait_for(Recorder& recorder) {
    for (int round = 0; round < 2; ++round) {
      std::promise<void> done;
      recorder.close_meeting(MeetingId::random(), [&done] { done.set_value(); });
      done.get_future().wait();
    }
  }
  std::uint64_t dropped(const std::string& reason) {
    return counters_.counter("qylon_recording_dropped_total", "", "{reason=\"" + reason + "\"}")
        .value();
  }

  test::FakeClock clock_;
  Counters counters_;
  const Log log_{clock_, LogLevel::kError};
  const MeetingId meeting_ = MeetingId::random();
  const std::vector<Bytes> packets_ = tone_packets(10);
};

TEST_F(RecorderTest, EachTrackOfAMeetingHasItsFile) {
  const auto recorder = make_recorder();
  for (const TrackId track : {TrackId{0}, TrackId{7}}) {
    for (std::int64_t index = 0; index < 10; ++index)
      recorder->write(
          meeting_, track, kOpus, index * kFrame, packets_[static_cast<std::size_t>(index)]);
  }
  std::promise<void> done;
  recorder->close_meeting(meeting_, [&done] { done.set_value(); });
  done.get_future().wait();
  for (const TrackId track : {TrackId{0}, TrackId{7}}) {
    const auto ogg = test::read_ogg_opus(recorder->path(meeting_, track));
    EXPECT_EQ(ogg.packets, packets_);
    EXPECT_EQ(ogg.end_pages, 1);
  }
}

TEST_F(RecorderTest, DestructionWritesWhatIsQueued) {
  auto recorder = make_recorder();
  const std::string path = recorder->path(meeting_, 0);
  for (std::int64_t index = 0; index < 10; ++index)
    recorder->write(meeting_, 0, kOpus, index * kFrame, packets_[static_cast<std::size_t>(index)]);
  recorder.reset();
  EXPECT_EQ(test::read_ogg_opus(path).packets.size(), 10U);
}

TEST_F(RecorderTest, AFullQueueDropsPacketsAndTheirTimeIsSilent) {
  Recorder::Options options;
  options.queue_packets = 4;
  const auto recorder = make_recorder(options);
  std::promise<void> reached;
  std::promise<void> release;
  recorder->close_meeting(MeetingId::random(), [&] {
    reached.set_value();
    release.get_future().wait();
  });
  reached.get_future().wait();  // The recorder's thread is held here.
  for (std::int64_t index = 0; index < 10; ++index)
    recorder->write(meeting_, 0, kOpus, index * kFrame, packets_[static_cast<std::size_t>(index)]);
  EXPECT_EQ(dropped("queue_full"), 6U);
  release.set_value();
  wait_for(*recorder);
  recorder->write(meeting_, 0, kOpus, 10 * kFrame, packets_[0]);
  recorder->close_track(meeting_, 0);
  wait_for(*recorder);
  EXPECT_EQ(test::read_ogg_opus(recorder->path(meeting_, 0)).granule, 11 * kFrame);
}

TEST_F(RecorderTest, ATrackThatFellSilentIsWrittenWithinASecondAndClosedLater) {
  const auto recorder = make_recorder();
  recorder->write(meeting_, 0, kOpus, 0, packets_[0]);
  wait_for(*recorder);
  clock_.advance_ms(1'000);
  wait_for(*recorder);
  const std::string path = recorder->path(meeting_, 0);
  EXPECT_EQ(test::read_ogg_opus(path).granule, kFrame);
  EXPECT_EQ(test::read_ogg_opus(path).end_pages, 0);
  clock_.advance_ms(30'000);
  wait_for(*recorder);
  EXPECT_EQ(test::read_ogg_opus(path).end_pages, 1);
  EXPECT_EQ(counters_.gauge("qylon_recording_files", "").value(), 0);
}

TEST_F(RecorderTest, AFolderThatCannotBeWrittenIsTriedAgainAfterASecond) {
  const auto recorder = make_recorder();
  const auto meeting_folder = folder_ / "recordings" / meeting_.to_string();
  std::ofstream(meeting_folder) << "in the way";
  recorder->write(meeting_, 0, kOpus, 0, packets_[0]);
  recorder->write(meeting_, 0, kOpus, kFrame, packets_[1]);
  wait_for(*recorder);
  EXPECT_EQ(dropped("file"), 2U);
  std::filesystem::remove(meeting_folder);
  clock_.advance_ms(1'000);
  recorder->write(meeting_, 0, kOpus, 2 * kFrame, packets_[2]);
  recorder->close_track(meeting_, 0);
  wait_for(*recorder);
  EXPECT_EQ(test::read_ogg_opus(recorder->path(meeting_, 0)).granule, 3 * kFrame);
}

TEST_F(RecorderTest, OpenFilesAreBounded) {
  Recorder::Options options;
  options.files_max = 1;
  const auto recorder = make_recorder(options);
  recorder->write(meeting_, 0, kOpus, 0, packets_[0]);
  recorder->write(meeting_, 1, kOpus, 0, packets_[0]);
  wait_for(*recorder);
  EXPECT_EQ(dropped("file"), 1U);
}

TEST_F(RecorderTest, ImpossibleOptionsAreRefused) {
  Recorder::Options options;
  options.directory = "/proc/no-such-folder";
  EXPECT_FALSE(Recorder::create(options, clock_, counters_, log_));
}

}  // namespace
}  // namespace qylon::media
