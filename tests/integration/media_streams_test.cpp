// Streams of bytes through real worker processes, and what the loss of one costs.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "media/containers/sandbox.hpp"
#include "media/containers/stream_service.hpp"
#include "tests/support/polling.hpp"
#include "tests/support/stream_files.hpp"
#include "tests/support/worker_processes.hpp"

namespace qylon::media {
namespace {

using Posted = TrackUplink::Posted;
using Bytes = std::vector<std::uint8_t>;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// The track behind a stream: keeps what it gets.
class TrackBehind final : public TrackUplink {
 public:
  Posted post(UplinkFrame&& frame) override {
    const MutexLock lock(mutex_);
    if (busy_) return Posted::kBusy;
    frames_.push_back(std::move(frame));
    arrived_.push_back(steady_clock::now());
    return Posted::kAccepted;
  }
  Posted standing() const noexcept override { return Posted::kAccepted; }
  TrackId track() const noexcept override { return 3; }
  std::uint64_t next_seq() const noexcept override { return size(); }
  std::optional<std::uint64_t> durable_seq() const noexcept override { return size(); }
  std::int64_t heard_ms() const noexcept override { return 0; }

  std::size_t size() const {
    const MutexLock lock(mutex_);
    return frames_.size();
  }
  std::vector<UplinkFrame> frames() const {
    const MutexLock lock(mutex_);
    return frames_;
  }
  milliseconds longest_pause() const {
    const MutexLock lock(mutex_);
    auto longest = steady_clock::duration::zero();
    for (std::size_t i = 1; i < arrived_.size(); ++i)
      longest = std::max(longest, arrived_[i] - arrived_[i - 1]);
    return std::chrono::duration_cast<milliseconds>(longest);
  }
  void set_busy(bool busy) {
    const MutexLock lock(mutex_);
    busy_ = busy;
  }

 private:
  mutable Mutex mutex_;
  std::vector<UplinkFrame> frames_ QYLON_GUARDED_BY(mutex_);
  std::vector<steady_clock::time_point> arrived_ QYLON_GUARDED_BY(mutex_);
  bool busy_ QYLON_GUARDED_BY(mutex_) = false;
};

class Streams : public ::testing::Test {
 protected:
  void start(const char* program, int workers) {
    service_ = std::make_unique<StreamService>(
        StreamService::Options{.program = program, .workers = workers},
        StreamService::Deps{.log = log_, .counters = counters_, .clock = clock_});
  }

  std::shared_ptr<TrackUplink> attach(const std::shared_ptr<TrackBehind>& behind,
                                      Codec codec,
                                      TrackId track = 3) {
    auto handle = service_->attach({meeting_, track, clock_id_},
                                   {codec, 16000, 1},
                                   [behind](const AudioFormat& /*format*/, Stream::Opened opened) {
                                     opened(std::shared_ptr<TrackUplink>(behind));
                                   });
    EXPECT_TRUE(handle);
    return handle ? *handle : nullptr;
  }

  static Posted post(TrackUplink& uplink, std::span<const std::uint8_t> bytes, bool last = false) {
    const std::uint64_t seq = uplink.next_seq();
    for (;;) {
      UplinkFrame frame;
      frame.seq = seq;
      frame.capture_us = 1'000'000;
      frame.flags = last ? kUplinkFlagEnd : std::uint8_t{0};
      frame.payload.assign(bytes.begin(), bytes.end());
      const Posted posted = uplink.post(std::move(frame));
      if (posted != Posted::kBusy) return posted;
      ::usleep(1000);
    }
  }
  static Posted post(TrackUplink& uplink, std::string_view text) {
    return post(uplink, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }

  std::uint64_t count(const char* name) {
    const std::string text = counters_.render();
    const std::size_t at = text.find("\n" + std::string(name) + " ");
    if (at == std::string::npos) return 0;
    return std::stoull(text.substr(at + std::strlen(name) + 2));
  }

  SystemClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  test::StreamFiles files_;
  const MeetingId meeting_ = MeetingId::random();
  const ClockId clock_id_ = ClockId::random();
  std::unique_ptr<StreamService> service_;
};

std::vector<std::size_t> sizes_of(const std::vector<UplinkFrame>& frames) {
  std::vector<std::size_t> sizes;
  for (const UplinkFrame& frame : frames) {
    if (!frame.payload.empty()) sizes.push_back(frame.payload.size());
  }
  return sizes;
}

constexpr const char* kWebm = "-c:a libopus -f webm -live 1";

TEST_F(Streams, AWebmStreamBecomesNumberedOpusPackets) {
  const auto file = files_.make(kWebm, "webm");
  const auto sizes = files_.packet_sizes(file);
  start(QYLON_STREAM_WORKER, 1);
  const auto behind = std::make_shared<TrackBehind>();
  const auto uplink = attach(behind, Codec::kWebm);
  const std::span<const std::uint8_t> bytes(file.bytes);
  for (std::size_t at = 0; at < bytes.size(); at += 500)
    ASSERT_EQ(post(*uplink, bytes.subspan(at, std::min<std::size_t>(500, bytes.size() - at))),
              Posted::kAccepted);
  ASSERT_EQ(post(*uplink, {}, true), Posted::kAccepted);
  ASSERT_TRUE(test::poll_until([&] { return behind->size() == sizes.size() + 1; }))
      << behind->size();
  const auto frames = behind->frames();
  EXPECT_EQ(sizes_of(frames), sizes);
  EXPECT_TRUE(frames.back().ends_track());
  for (std::size_t i = 0; i + 1 < frames.size(); ++i) {
    EXPECT_EQ(frames[i].seq, i);
    EXPECT_EQ(frames[i].capture_us, 1'000'000 + i * 20'000);
  }
  EXPECT_TRUE(test::poll_until([&] { return uplink->durable_seq() == uplink->next_seq(); }));
}

TEST_F(Streams, WorkersThatAreKilledCostNoPacket) {
  const auto file = files_.make(kWebm, "webm");
  const auto sizes = files_.packet_sizes(file);
  start(QYLON_STREAM_WORKER, 1);
  const auto behind = std::make_shared<TrackBehind>();
  const auto uplink = attach(behind, Codec::kWebm);
  const std::span<const std::uint8_t> bytes(file.bytes);
  const std::size_t step = bytes.size() / 60;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    post(*uplink, bytes.subspan(at, std::min(step, bytes.size() - at)));
    ::usleep(15'000);
    if (at / step % 20 != 10) continue;
    const std::size_t before = behind->size();
    ASSERT_TRUE(test::poll_until([&] { return behind->size() > before || before > 0; }));
    ::kill(test::worker_processes().front(), SIGKILL);
  }
  ASSERT_TRUE(test::poll_until([&] { return count("qylon_stream_workers_lost_total") >= 2; }));
  ASSERT_TRUE(test::poll_until([&] { return behind->size() == sizes.size(); }))
      << behind->size() << " " << uplink->refusal();
  EXPECT_EQ(sizes_of(behind->frames()), sizes);
  const auto frames = behind->frames();
  EXPECT_NEAR(static_cast<double>(frames.back().capture_us),
              1e6 + static_cast<double>(frames.size() - 1) * 20'000,
              1000.0);
}

TEST_F(Streams, AfterAKilledWorkerAllItsStreamsGoOnWithinASecond) {
  const auto file = files_.make(kWebm, "webm");
  const std::size_t packets = files_.packet_sizes(file).size();
  const std::span<const std::uint8_t> bytes(file.bytes);
  const auto half = bytes.size() / 2;
  start(QYLON_STREAM_WORKER, 1);
  std::int64_t longest_ms = 0;
  for (TrackId round = 0; round < 5; ++round) {
    std::vector<std::shared_ptr<TrackBehind>> behind(20);
    std::vector<std::shared_ptr<TrackUplink>> uplinks;
    for (auto& track : behind) {
      track = std::make_shared<TrackBehind>();
      const auto id = static_cast<TrackId>(round * behind.size() + uplinks.size());
      uplinks.push_back(attach(track, Codec::kWebm, id));
      post(*uplinks.back(), bytes.first(half));
    }
    const auto all_have = [&behind](std::size_t count) {
      return std::ranges::all_of(behind, [count](auto& track) { return track->size() >= count; });
    };
    ASSERT_TRUE(test::poll_until([&] { return all_have(1); }));
    const auto killed = steady_clock::now();
    ::kill(test::worker_processes().front(), SIGKILL);
    for (const auto& uplink : uplinks)
      post(*uplink, bytes.subspan(half));
    ASSERT_TRUE(test::poll_until([&] { return all_have(packets); }));
    const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - killed);
    longest_ms = std::max<std::int64_t>(longest_ms, took.count());
  }
  std::printf("a killed worker's 20 streams had everything after %lld ms at most\n",
              static_cast<long long>(longest_ms));
  EXPECT_LT(longest_ms, 1000);  // 200 on a machine with nothing else to do.
}

/// A stream's beginning that promises more than a worker may hold.
struct Bomb {
  const char* name;
  Codec codec;
  std::string_view head;
};
using std::string_view_literals::operator""sv;
constexpr Bomb kBombs[] = {
    {"Mp4BoxOf2GB",
     Codec::kMp4,
     "\0\0\0\x18"
     "ftypisom\0\0\2\0isomiso2"
     "\x7F\xFF\xFF\xFFmoov"sv},
    {"Mp4BoxOf1TB",
     Codec::kMp4,
     "\0\0\0\x18"
     "ftypisom\0\0\2\0isomiso2"
     "\0\0\0\1moov\0\0\1\0\0\0\0\0"sv},
    // Fixed blocks of 65535 samples, 8 channels of 32 bits, 2^36 samples, then a picture of 16 MB.
    {"FlacOf64GSamples",
     Codec::kFlac,
     "fLaC\0\0\0\x22\xFF\xFF\xFF\xFF\0\0\0\0\0\0\x0A\xC4\x4F\xFF\xFF\xFF\xFF\xFF"
     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x86\xFF\xFF\xFF"sv},
    // EBML head, segment of unknown length, tracks of 4 GB with an entry of 4 GB.
    {"WebmTracksOf4GB",
     Codec::kWebm,
     "\x1A\x45\xDF\xA3\x87\x42\x82\x84webm\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
     "\x16\x54\xAE\x6B\x01\0\0\1\0\0\0\0\xAE\x01\0\0\0\xFF\xFF\xFF\xF0"sv},
};

class Bombs : public Streams, public ::testing::WithParamInterface<Bomb> {};

TEST_P(Bombs, CostTheirOwnStreamOnly) {
  const auto file = files_.make(kWebm, "webm");
  const auto sizes = files_.packet_sizes(file);
  const std::span<const std::uint8_t> bytes(file.bytes);
  start(QYLON_STREAM_WORKER, 1);
  const auto neighbour = std::make_shared<TrackBehind>();
  const auto good = attach(neighbour, Codec::kWebm, 4);
  const auto bad = attach(std::make_shared<TrackBehind>(), GetParam().codec, 3);
  post(*bad, GetParam().head);
  const Bytes filling(30'000, 0x11);
  const std::size_t step = bytes.size() / 50;
  bool refused = false;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    ASSERT_EQ(post(*good, bytes.subspan(at, std::min(step, bytes.size() - at))), Posted::kAccepted);
    for (int i = 0; i < 20 && !refused; ++i)  // 30 MB in all.
      refused = post(*bad, filling) == Posted::kUndecodable;
  }
  ASSERT_TRUE(test::poll_until([&] { return neighbour->size() == sizes.size(); }))
      << neighbour->size();
  EXPECT_EQ(sizes_of(neighbour->frames()), sizes);
  std::printf("%s: %s; %llu workers lost; the neighbour's longest pause %lld ms\n",
              GetParam().name,
              refused ? bad->refusal().c_str() : "not refused",
              static_cast<unsigned long long>(count("qylon_stream_workers_lost_total")),
              static_cast<long long>(neighbour->longest_pause().count()));
  EXPECT_LT(neighbour->longest_pause().count(), 1000);
}

INSTANTIATE_TEST_SUITE_P(Each, Bombs, ::testing::ValuesIn(kBombs), [](const auto& each) {
  return std::string(each.param.name);
});

TEST_F(Streams, AWorkerThatStandsStillIsReplaced) {
  const auto file = files_.make(kWebm, "webm");
  const auto sizes = files_.packet_sizes(file);
  start(QYLON_STREAM_WORKER, 1);
  const auto behind = std::make_shared<TrackBehind>();
  const auto uplink = attach(behind, Codec::kWebm);
  const std::span<const std::uint8_t> bytes(file.bytes);
  post(*uplink, bytes.first(bytes.size() / 2));
  ASSERT_TRUE(test::poll_until([&] { return behind->size() > 10; }));
  for (const int pid : test::worker_processes())
    ::kill(pid, SIGSTOP);
  post(*uplink, bytes.subspan(bytes.size() / 2));
  ASSERT_TRUE(test::poll_until([&] { return behind->size() == sizes.size(); })) << behind->size();
  EXPECT_EQ(sizes_of(behind->frames()), sizes);
}

TEST_F(Streams, APieceThatKillsTwiceIsLeftOutAndItsNeighboursHearNothingOfIt) {
  start(QYLON_STREAM_STANDIN, 1);
  const auto poisoned = std::make_shared<TrackBehind>();
  const auto neighbour = std::make_shared<TrackBehind>();
  const auto bad = attach(poisoned, Codec::kMp3, 3);
  const auto good = attach(neighbour, Codec::kMp3, 4);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(post(*bad, i == 5 ? "CRASH!" : "plain "), Posted::kAccepted);
    ASSERT_EQ(post(*good, "other "), Posted::kAccepted);
  }
  EXPECT_TRUE(test::poll_until([&] { return neighbour->size() == 10; })) << neighbour->size();
  EXPECT_TRUE(test::poll_until([&] { return poisoned->size() == 9; })) << poisoned->size();
  EXPECT_EQ(bad->standing(), Posted::kAccepted);
  EXPECT_EQ(count("qylon_stream_workers_lost_total"), 2U);
  EXPECT_EQ(count("qylon_stream_pieces_quarantined_total"), 1U);
}

TEST_F(Streams, AStreamThatCannotSkipItsPoisonIsRefusedWithAReason) {
  start(QYLON_STREAM_STANDIN, 1);
  const auto behind = std::make_shared<TrackBehind>();
  const auto uplink = attach(behind, Codec::kWebm);
  post(*uplink, "plain ");
  post(*uplink, "CRASH!");
  EXPECT_TRUE(test::poll_until([&] { return uplink->standing() == Posted::kUndecodable; }));
  EXPECT_NE(uplink->refusal().find("breaks its decoder"), std::string::npos);
}

TEST_F(Streams, APieceThatNeverEndsIsEndedByItsComputingTime) {
  start(QYLON_STREAM_STANDIN, 1);
  const auto behind = std::make_shared<TrackBehind>();
  const auto uplink = attach(behind, Codec::kMp3);
  post(*uplink, "plain ");
  post(*uplink, "SPIN!!");
  post(*uplink, "after ");
  EXPECT_TRUE(test::poll_until([&] { return behind->size() == 2; })) << behind->size();
  EXPECT_EQ(count("qylon_stream_pieces_quarantined_total"), 1U);
}

TEST_F(Streams, AWorkerThatClaimsTheImpossibleIsNotBelieved) {
  start(QYLON_STREAM_STANDIN, 1);
  const auto behind = std::make_shared<TrackBehind>();
  const auto uplink = attach(behind, Codec::kMp3);
  post(*uplink, "LIE!");
  EXPECT_TRUE(test::poll_until([&] { return uplink->standing() == Posted::kUndecodable; }));
}

TEST_F(Streams, ABusyTrackHoldsTheStreamBackUntilItTakesPacketsAgain) {
  start(QYLON_STREAM_STANDIN, 1);
  const auto behind = std::make_shared<TrackBehind>();
  behind->set_busy(true);
  const auto uplink = attach(behind, Codec::kMp3);
  const Bytes piece(30'000, 'x');
  std::uint64_t taken = 0;
  const auto offer = [&] {
    UplinkFrame frame;
    frame.seq = taken;
    frame.payload = piece;
    return uplink->post(std::move(frame));
  };
  while (taken < 100 && offer() == Posted::kAccepted)
    ++taken;
  ASSERT_TRUE(test::poll_until([&] {
    if (offer() == Posted::kAccepted) ++taken;
    return taken >= 8;
  }));
  EXPECT_LE(taken, 12U);  // 256 KiB wait, and one piece is under way.
  behind->set_busy(false);
  EXPECT_TRUE(test::poll_until([&] { return behind->size() == taken; })) << behind->size();
}

TEST_F(Streams, AReconnectionGoesOnWhereTheLostConnectionStopped) {
  start(QYLON_STREAM_STANDIN, 1);
  const auto behind = std::make_shared<TrackBehind>();
  auto first = attach(behind, Codec::kMp3);
  post(*first, "plain ");
  auto second = attach(behind, Codec::kMp3);
  EXPECT_EQ(second->next_seq(), 1U);
  EXPECT_EQ(first->standing(), Posted::kSuperseded);
  first.reset();
  EXPECT_EQ(post(*second, "after "), Posted::kAccepted);
  EXPECT_TRUE(test::poll_until([&] { return behind->size() == 2; }));
}

TEST_F(Streams, AStreamThatIsJoinedInItsMiddleIsToldToBeginAnew) {
  start(QYLON_STREAM_STANDIN, 1);
  const auto uplink = attach(std::make_shared<TrackBehind>(), Codec::kMp3);
  UplinkFrame frame;
  frame.seq = 7;
  frame.payload = {1, 2, 3};
  EXPECT_EQ(uplink->post(std::move(frame)), Posted::kUnknownPosition);
}

TEST_F(Streams, EveryThreadOfEveryWorkerIsUnderTheCallFilter) {
  start(QYLON_STREAM_WORKER, 2);
  ASSERT_TRUE(test::poll_until([] { return test::worker_processes().size() == 2; }));
  for (const int pid : test::worker_processes())
    EXPECT_TRUE(test::poll_until([pid] { return is_filtered(pid); })) << pid;
}

}  // namespace
}  // namespace qylon::media
