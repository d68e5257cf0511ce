// One sender, one server with its journal and its caption queue, one database and one viewer, all
// driven step by step by a seed: connections are cut, frames reordered and repeated, the server is
// killed or loses power, its disk fails, PostgreSQL goes away or forgets to answer. The parts are
// the product's (JitterBuffer, TrackState, SpoolWriter, Spool, CaptionQueue, MeetingRings,
// CaptionCursor); recognition is replaced by one final for every five frames, so that what every
// final must say is known.
//
//   journal_simulation [--seed N] [--schedules N] [--seconds N] [--lying-disk]
//
// With --lying-disk fdatasync answers and does nothing: shows that the simulation would notice.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/counters.hpp"
#include "core/log.hpp"
#include "media/jitter_buffer.hpp"
#include "media/track_state.hpp"
#include "realtime/caption_cursor.hpp"
#include "realtime/meeting_rings.hpp"
#include "storage/audio_record.hpp"
#include "storage/caption_queue.hpp"
#include "storage/caption_record.hpp"
#include "storage/spool_writer.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/random.hpp"
#include "tests/support/sim_disk.hpp"

namespace qylon {
namespace {

using media::JitterBuffer;
using media::UplinkFrame;
using storage::Spool;
using storage::SpoolItem;

constexpr std::int64_t kFrameUs = 20'000;
constexpr std::uint64_t kFramesPerFinal = 5;
constexpr std::uint64_t kFrames = 40;

[[noreturn]] void fail(std::uint64_t seed, const std::string& what) {
  std::fprintf(stderr,
               "journal_simulation: broken: %s; repeat with --seed %llu --schedules 1\n",
               what.c_str(),
               static_cast<unsigned long long>(seed));
  std::exit(1);
}

/// What survives every crash: the rows, and how the database behaves now.
struct SimDatabase {
  std::map<std::uint64_t, CaptionPtr> rows;
  bool away = false;
  bool forgets_to_answer = false;

  Status store(std::span<const CaptionPtr> captions) {
    if (away) return Error{ErrorCode::kUnavailable, "away"};
    for (const CaptionPtr& caption : captions)
      rows.emplace(*caption->offset, caption);  // On conflict do nothing.
    if (std::exchange(forgets_to_answer, false))
      return Error{ErrorCode::kUnavailable, "the answer to COMMIT was lost"};
    return ok();
  }
};

struct World {
  World(std::uint64_t seed_value, bool disk_lies) : seed(seed_value), random(seed_value) {
    disk.lies = disk_lies;
  }

  const std::uint64_t seed;
  test::Random random;
  const bool reorders = random.chance(0.2);
  test::FakeClock clock;
  const MeetingId meeting{};
  const Epoch epoch{Uuid{{1}}};
  const ClockId capture_clock{Uuid{{2}}};
  test::SimDiskState disk;
  SimDatabase database;
  std::map<std::uint64_t, std::uint64_t> shown;  // Offset -> first frame, as any viewer saw it.
};

Log& quiet() {
  static const test::FakeClock clock;
  static Log log{clock, LogLevel::kError, -1};
  return log;
}
Counters& counters() {
  static Counters all;
  return all;
}

/// One life of the server process: the wiring of Meeting, Publisher and StoredMeetings.
class Server {
 public:
  explicit Server(World& world)
      : world_(world),
        spool_({.segment_bytes = 1 << 20, .audio_keep_ms = 3'000, .retry_interval_ms = 20},
               std::make_unique<test::SimDisk>(world.disk),
               nullptr,
               quiet(),
               counters(),
               world.clock),
        writer_(spool_, 1 << 20, quiet(), counters(), world.clock),
        queue_(
            {.batch_captions_max = 4, .captions_max = 6},
            {.on_stored = [this](MeetingId meeting,
                                 std::uint64_t offset) { spool_.settle(meeting, offset); },
             .reread =
                 [this](const auto& sink) {
                   if (!writer_.writable()) return false;
                   read_unsettled_captions(spool_, sink);
                   return true;
                 }},
            [this](std::span<const CaptionPtr> batch) { return world_.database.store(batch); },
            quiet(),
            counters(),
            world.clock),
        jitter_(
            {},
            [](const UplinkFrame&) { return kFrameUs; },
            [this](JitterBuffer::Output&& output) { deliver(std::move(output)); }) {
    if (!spool_.open()) fail(world.seed, "the spool does not open");
    storage::read_unsettled_captions(
        spool_, [this](CaptionPtr caption) { queue_.add(std::move(caption)); });
    while (!queue_.store_some() || !queue_.idle()) {  // The server starts with its database.
    }
    resume();
  }

  media::TrackState& track() noexcept { return track_; }
  bool lost_audio() const noexcept { return lost_audio_; }
  bool shows_undurable() const noexcept { return shows_undurable_; }
  bool has_unsynced() const noexcept { return !group_.empty() || !writer_.writable(); }
  bool all_stored() const { return queue_.idle() && steps_.empty(); }

  void on_frame(std::uint64_t owner, UplinkFrame frame) {
    if (owner != track_.owner) return;  // The lease: a newer connection feeds the track.
    if (jitter_.standing(frame) != JitterBuffer::Inserted::kTaken) return;
    storage::AudioFrame kept{.meeting = world_.meeting,
                             .track = 0,
                             .clock = world_.capture_clock,
                             .seq = frame.seq,
                             .capture_us = static_cast<std::int64_t>(frame.capture_us),
                             .payload = frame.payload};
    const std::uint64_t numbering = track_.durable.on_journal();
    jitter_.insert(std::move(frame), world_.clock.monotonic_us());
    note_settled();
    const auto synced =
        [this, numbering, settled = jitter_.next_seq(), refused = false](bool durable) mutable {
          if (durable) {
            track_.durable.synced(numbering, settled, refused);
          } else {
            track_.durable.refused(numbering);
            refused = true;
          }
        };
    group_.push_back({storage::make_audio_record(std::move(kept)), synced});
  }
  void tick() {
    jitter_.tick(world_.clock.monotonic_us());
    note_settled();
  }
  void write_journal() {
    writer_.write(group_);
    if (writer_.writable()) spool_.tidy();
  }
  void store_captions() { queue_.store_some(); }

  /// Finals after `after`, at most `limit`, as a viewer gets them: ring, database, journal.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> read(realtime::CaptionCursor& cursor,
                                                            std::size_t limit) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> finals;
    const auto take = [&](std::uint64_t offset, std::uint64_t first) {
      if (!cursor.next_is(offset) || finals.size() >= limit) return;
      cursor.advance_to(offset);
      finals.emplace_back(offset, first);
    };
    const auto slice = rings_.read(world_.meeting, cursor.sent(), limit);
    for (const auto& [offset, frame] : slice.finals)
      take(offset, std::stoull(*frame));
    if (!finals.empty()) return finals;
    if (!world_.database.away) {
      for (auto row = world_.database.rows.upper_bound(cursor.sent());
           row != world_.database.rows.end();
           ++row)
        take(row->first, first_frame(*row->second));
    }
    spool_.read_captions(world_.meeting, cursor.sent(), [&](const storage::Record& record) {
      const auto caption = storage::parse_caption_record(record);
      if (caption) take(*caption->offset, first_frame(*caption));
      return true;
    });
    return finals;
  }
  static std::uint64_t first_frame(const Caption& caption) {
    return static_cast<std::uint64_t>(caption.start_ms * 1000 / kFrameUs);
  }

 private:
  struct Step {
    CaptionPtr caption;
    bool ready = false;
  };

  /// As StoredMeetings and Track::resume: numbers and audio go on where the disk ends.
  void resume() {
    std::int64_t final_until_us = 0;
    for (const auto& [offset, caption] : world_.database.rows) {
      last_offset_ = std::max(last_offset_, offset);
      final_until_us = std::max(final_until_us, caption->end_ms * 1000);
    }
    last_offset_ = std::max(last_offset_, spool_.last_caption(world_.meeting));
    next_frame_ = static_cast<std::uint64_t>(final_until_us / kFrameUs);
    std::map<std::uint64_t, UplinkFrame> frames;
    spool_.read_audio(world_.meeting, [&](const storage::Record& record) {
      auto audio = storage::parse_audio_record(record);
      if (audio)
        frames[audio->seq] = {.flags = 0,
                              .track = 0,
                              .seq = audio->seq,
                              .capture_us = static_cast<std::uint64_t>(audio->capture_us),
                              .payload = std::move(audio->payload)};
      return true;
    });
    if (frames.empty()) return;
    const auto first = std::find_if(frames.begin(), frames.end(), [&](const auto& item) {
      return static_cast<std::int64_t>(item.second.capture_us) >= final_until_us;
    });
    jitter_.resume_at(first == frames.end() ? frames.rbegin()->first + 1 : first->first);
    for (auto frame = first; frame != frames.end(); ++frame)
      jitter_.insert(std::move(frame->second), world_.clock.monotonic_us());
    track_.next_seq = jitter_.next_seq();
    track_.durable.restart(jitter_.next_seq());
  }

  void note_settled() {
    track_.next_seq = jitter_.next_seq();
    track_.durable.settle(jitter_.next_seq());
  }

  /// The recogniser: a final for every fifth frame, which says where it began.
  void deliver(JitterBuffer::Output&& output) {
    if (output.kind != JitterBuffer::Output::Kind::kFrame) {
      lost_audio_ = true;
      return;
    }
    const std::uint64_t end = output.frame.seq + 1;
    if (end < next_frame_ + kFramesPerFinal && end != kFrames) return;
    auto caption = std::make_shared<Caption>();
    caption->meeting = world_.meeting;
    caption->offset = ++last_offset_;
    caption->segment = last_offset_;
    caption->start_ms = static_cast<std::int64_t>(next_frame_) * kFrameUs / 1000;
    caption->end_ms = static_cast<std::int64_t>(end) * kFrameUs / 1000;
    next_frame_ = end;
    auto step = std::make_shared<Step>(Step{caption});
    steps_.push_back(step);
    group_.push_back({storage::make_caption_record(*caption), [this, step](bool durable) {
                        shows_undurable_ = shows_undurable_ || !durable;
                        step->ready = true;
                        show_ready();
                      }});
  }

  void show_ready() {
    while (!steps_.empty() && steps_.front()->ready) {
      const CaptionPtr caption = std::move(steps_.front()->caption);
      steps_.pop_front();
      queue_.add(caption);
      realtime::Delivery delivery;
      delivery.meeting = world_.meeting;
      delivery.epoch = world_.epoch;
      delivery.frame = std::make_shared<const std::string>(std::to_string(first_frame(*caption)));
      delivery.offset = caption->offset;
      rings_.add(std::move(delivery));
    }
  }

  World& world_;
  Spool spool_;
  storage::SpoolWriter writer_;
  storage::CaptionQueue queue_;
  realtime::MeetingRings rings_{{.finals_max = 3}};
  media::TrackState track_;
  JitterBuffer jitter_;
  std::vector<SpoolItem> group_;  // The journal's queue.
  std::deque<std::shared_ptr<Step>> steps_;
  std::uint64_t last_offset_ = 0;
  std::uint64_t next_frame_ = 0;
  bool lost_audio_ = false;
  bool shows_undurable_ = false;
};

/// A sender that keeps what is not durable, and its connection.
class Sender {
 public:
  explicit Sender(World& world) : world_(world) {}

  void connect(Server& server) {
    owner_ = ++server.track().owner;
    const std::uint64_t next_seq = server.track().next_seq;
    for (std::uint64_t seq = std::max(kept_from_, next_seq); seq < produced_; ++seq)
      on_the_way_.emplace_back(owner_, seq);
  }
  void disconnect() {
    owner_ = 0;
    // What is in the network may still arrive, late, from a connection that is no more.
    if (world_.random.chance(0.5)) on_the_way_.clear();
  }
  bool connected() const noexcept { return owner_ != 0; }
  bool finished() const noexcept { return kept_from_ == kFrames; }

  void produce() {
    if (produced_ == kFrames) return;
    if (connected()) on_the_way_.emplace_back(owner_, produced_);
    ++produced_;
  }
  void transmit(Server& server) {
    for (std::uint64_t count = world_.random.below(6); count > 0 && !on_the_way_.empty(); --count) {
      if (world_.reorders && on_the_way_.size() > 1 && world_.random.chance(0.1)) {
        std::swap(on_the_way_[0], on_the_way_[1]);
      }
      const auto [owner, seq] = on_the_way_.front();
      if (!world_.random.chance(0.05)) on_the_way_.pop_front();  // Else it comes once more.
      server.on_frame(owner,
                      {.flags = 0,
                       .track = 0,
                       .seq = seq,
                       .capture_us = seq * static_cast<std::uint64_t>(kFrameUs),
                       .payload = {static_cast<std::uint8_t>(seq)}});
    }
  }
  /// Takes an acknowledgement and forgets what is durable.
  void acknowledge(Server& server) {
    if (!connected()) return;
    const auto durable = server.track().durable.seq();
    if (durable && *durable > produced_) fail(world_.seed, "what was never sent is durable");
    if (durable) kept_from_ = std::max(kept_from_, *durable);
  }
  std::uint64_t kept_from() const noexcept { return kept_from_; }

 private:
  World& world_;
  std::uint64_t produced_ = 0;
  std::uint64_t kept_from_ = 0;  // Everything below was called durable, and forgotten.
  std::uint64_t owner_ = 0;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> on_the_way_;  // Owner and seq.
};

class Viewer {
 public:
  explicit Viewer(World& world) : world_(world) { restart(); }

  /// Comes back and says what it has, or starts anew.
  void reconnect() {
    const std::uint64_t had = cursor_->sent();
    if (world_.random.chance(0.3)) return restart();
    cursor_.emplace(realtime::ResumeFrom{world_.epoch, had});
    const auto position = cursor_->settle(world_.epoch, had);
    if (!position.recovered || position.unknown)
      fail(world_.seed, "the position was not recovered");
  }
  void restart() {
    cursor_.emplace(std::nullopt);
    cursor_->settle(world_.epoch, 0);
  }
  void watch(Server& server) {
    const std::uint64_t before = cursor_->sent();
    std::uint64_t expected = before;
    for (const auto& [offset, first] : server.read(*cursor_, 1 + world_.random.below(8))) {
      if (offset != ++expected) fail(world_.seed, "a viewer saw a gap");
      const auto [seen, added] = world_.shown.emplace(offset, first);
      if (!added && seen->second != first) fail(world_.seed, "an offset was shown twice, changed");
    }
  }
  std::uint64_t seen() const { return cursor_->sent(); }

 private:
  World& world_;
  std::optional<realtime::CaptionCursor> cursor_;
};

class Schedule {
 public:
  Schedule(std::uint64_t seed, bool disk_lies)
      : world_(seed, disk_lies), sender_(world_), viewer_(world_) {
    server_.emplace(world_);
  }

  /// True: every frame must have been, and was, in exactly one final.
  bool run() {
    const std::uint64_t steps = 60 + world_.random.below(200);
    for (std::uint64_t step = 0; step < steps; ++step)
      do_anything();
    heal();
    check();
    return !promised_ && !lost_;
  }

 private:
  void do_anything() {
    world_.clock.advance_ms(static_cast<std::int64_t>(world_.random.below(40)));
    server_->tick();
    switch (world_.random.below(24)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return sender_.produce();
      case 5:
      case 6:
      case 7:
      case 8:
        return sender_.transmit(*server_);
      case 9:
      case 10:
      case 11:
      case 12:
        return server_->write_journal();
      case 13:
      case 14:
        return sender_.acknowledge(*server_);
      case 15:
      case 16:
        return server_->store_captions();
      case 17:
      case 18:
        return viewer_.watch(*server_);
      case 19:
        return viewer_.reconnect();
      case 20:
        sender_.disconnect();
        return sender_.connect(*server_);
      case 21:
        return disturb_database();
      case 22:
        return disturb_disk();
      default:
        if (world_.random.chance(0.3)) crash();
    }
  }

  void disturb_database() {
    world_.database.away = world_.random.chance(0.5);
    world_.database.forgets_to_answer = world_.random.chance(0.5);
  }
  void disturb_disk() {
    if (world_.random.chance(0.5)) {
      world_.disk.plan = nullptr;
      return;
    }
    const std::uint64_t from = world_.disk.calls() + world_.random.below(4);
    const std::uint64_t to = from + 1 + world_.random.below(10);
    const auto fault = static_cast<test::SimDiskState::Fault>(1 + world_.random.below(3));
    world_.disk.plan = [from, to, fault](std::uint64_t call) {
      return call > from && call <= to ? fault : test::SimDiskState::Fault::kNone;
    };
  }

  /// The process dies, perhaps in the middle of a write, perhaps with the machine.
  void crash() {
    if (world_.random.chance(0.5)) {
      const std::uint64_t last = world_.disk.calls() + world_.random.below(3);
      world_.disk.plan = [last](std::uint64_t call) {
        return call > last ? test::SimDiskState::Fault::kKilled : test::SimDiskState::Fault::kNone;
      };
      server_->write_journal();
    }
    promised_ = promised_ || server_->shows_undurable();
    lost_ = lost_ || server_->lost_audio();
    world_.disk.plan = nullptr;
    server_.reset();
    if (world_.random.chance(0.5)) {
      world_.disk.crash(world_.random);
    } else {
      world_.disk.kill();
    }
    world_.database.away = false;
    world_.database.forgets_to_answer = false;
    sender_.disconnect();
    server_.emplace(world_);
    sender_.connect(*server_);
    if (promised_) {
      // A disk that refuses does not stop captions: what was shown undurably may be gone, and said.
      world_.shown.clear();
      viewer_.restart();
    } else {
      viewer_.reconnect();
    }
  }

  void heal() {
    world_.disk.plan = nullptr;
    world_.database.away = false;
    world_.database.forgets_to_answer = false;
    sender_.disconnect();
    sender_.connect(*server_);
    for (int i = 0; i < 2000; ++i) {
      // A hole that the network left before a crash is given up in its time once more.
      const bool heard = sender_.finished() && server_->track().next_seq == kFrames;
      if (heard && server_->all_stored() && !server_->has_unsynced()) return;
      world_.clock.advance_ms(25);
      server_->tick();
      sender_.produce();
      sender_.transmit(*server_);
      server_->write_journal();
      sender_.acknowledge(*server_);
      server_->store_captions();
    }
    std::fprintf(
        stderr,
        "fin %d kept %lu stored %d unsynced %d next %lu durable %lu promised %d lost %d rows %zu\n",
        sender_.finished(),
        +sender_.kept_from(),
        server_->all_stored(),
        server_->has_unsynced(),
        +server_->track().next_seq.load(),
        server_->track().durable.seq() ? +*server_->track().durable.seq() : std::uint64_t(0),
        promised_,
        server_->lost_audio(),
        world_.database.rows.size());
    fail(world_.seed, "it does not heal by itself");
  }

  /// Every frame in exactly one final, offsets dense, and every viewer sees what is stored.
  void check() {
    lost_ = lost_ || server_->lost_audio();
    std::uint64_t offset = 0;
    std::uint64_t frame = 0;
    for (const auto& [number, caption] : world_.database.rows) {
      if (number != ++offset) fail(world_.seed, "the stored offsets have a hole");
      const std::uint64_t first = Server::first_frame(*caption);
      if (!promised_ && !lost_ && first != frame)
        fail(world_.seed, "finals overlap or leave a gap");
      frame = static_cast<std::uint64_t>(caption->end_ms * 1000 / kFrameUs);
      const auto seen = world_.shown.find(number);
      if (seen != world_.shown.end() && seen->second != first)
        fail(world_.seed, "what was shown is not what is stored");
    }
    if (frame != kFrames) fail(world_.seed, "the last frames have no final");
    viewer_.restart();
    for (int i = 0; i < 1000 && viewer_.seen() < offset; ++i)
      viewer_.watch(*server_);
    if (viewer_.seen() != offset) fail(world_.seed, "a viewer does not get everything");
  }

  World world_;
  std::optional<Server> server_;
  Sender sender_;
  Viewer viewer_;
  bool promised_ = false;  // Something was shown that was not durable before a crash.
  bool lost_ = false;      // Frames were given up; a later schedule of the network may not.
};

bool has_flag(int argc, char** argv, std::string_view flag) {
  return std::any_of(argv + 1, argv + argc, [&](const char* word) { return word == flag; });
}

std::uint64_t number_after(int argc, char** argv, std::string_view flag, std::uint64_t fallback) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (argv[i] == flag) return std::strtoull(argv[i + 1], nullptr, 10);
  }
  return fallback;
}

}  // namespace
}  // namespace qylon

int main(int argc, char** argv) {
  const auto first = qylon::number_after(argc, argv, "--seed", 1);
  const auto schedules = qylon::number_after(argc, argv, "--schedules", 1'000'000);
  const auto seconds = qylon::number_after(argc, argv, "--seconds", 3600);
  const bool disk_lies = qylon::has_flag(argc, argv, "--lying-disk");
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t done = 0;
  std::uint64_t exact = 0;  // Neither lost by the network nor shown in spite of a refusing disk.
  while (done < schedules &&
         std::chrono::steady_clock::now() - start < std::chrono::seconds(seconds)) {
    if (qylon::Schedule(first + done, disk_lies).run()) ++exact;
    ++done;
  }
  const double passed =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%llu schedules, %llu of them exact, from seed %llu in %.1f s\n",
              static_cast<unsigned long long>(done),
              static_cast<unsigned long long>(exact),
              static_cast<unsigned long long>(first),
              passed);
  return 0;
}
