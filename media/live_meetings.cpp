#include "media/live_meetings.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"

namespace qylon::media {
namespace {

const Error kShardFull{ErrorCode::kOverloaded, "the meeting's shard is busy; try again later"};

/// One connection's hold on one track.
class TrackHandle final : public TrackUplink {
 public:
  TrackHandle(Shard& shard, MeetingId meeting, TrackId track, std::shared_ptr<TrackState> state)
      : shard_(shard),
        meeting_(meeting),
        track_(track),
        state_(std::move(state)),
        owner_(++state_->owner),
        heard_before_ms_(state_->heard_ms) {}
  ~TrackHandle() override { shard_.post_disconnect(meeting_, track_, owner_); }
  TrackHandle(const TrackHandle&) = delete;
  TrackHandle& operator=(const TrackHandle&) = delete;
  TrackHandle(TrackHandle&&) = delete;
  TrackHandle& operator=(TrackHandle&&) = delete;

  Posted post(UplinkFrame&& frame) override {
    const Posted now = standing();
    if (now != Posted::kAccepted) return now;
    return shard_.post_frame(meeting_, track_, frame) ? Posted::kAccepted : Posted::kBusy;
  }
  Posted standing() const noexcept override {
    if (state_->ended) return Posted::kEnded;
    if (state_->owner != owner_) return Posted::kSuperseded;
    return state_->jumped ? Posted::kBadSequence : Posted::kAccepted;
  }
  TrackId track() const noexcept override { return track_; }
  std::uint64_t next_seq() const noexcept override { return state_->next_seq; }
  std::optional<std::uint64_t> durable_seq() const noexcept override {
    return state_->durable.seq();
  }
  std::int64_t heard_ms() const noexcept override { return state_->heard_ms - heard_before_ms_; }

 private:
  Shard& shard_;
  const MeetingId meeting_;
  const TrackId track_;
  const std::shared_ptr<TrackState> state_;
  const std::uint64_t owner_;
  const std::int64_t heard_before_ms_;
};

std::vector<std::shared_ptr<TrackUplink>> make_handles(
    Shard& shard,
    const UplinkHello& hello,
    const std::vector<std::shared_ptr<TrackState>>& states) {
  std::vector<std::shared_ptr<TrackUplink>> handles;
  for (std::size_t i = 0; i < states.size(); ++i) {
    handles.push_back(
        std::make_shared<TrackHandle>(shard, hello.meeting, hello.tracks[i].track, states[i]));
  }
  return handles;
}

}  // namespace

LiveMeetings::LiveMeetings(int shard_count,
                           const Shard::Options& options,
                           const Meeting::Parts& parts,
                           MeetingDirectory& directory,
                           std::unique_ptr<StreamService> streams)
    : directory_(directory), streams_(std::move(streams)) {
  QYLON_CHECK(shard_count >= 1);
  for (int i = 0; i < shard_count; ++i)
    shards_.push_back(std::make_unique<Shard>(options, parts));
}

Shard& LiveMeetings::shard_of(MeetingId meeting) const {
  return *shards_[std::hash<MeetingId>{}(meeting) % shards_.size()];
}

void LiveMeetings::open(UplinkHello hello, Opened opened) {
  const bool streams = std::ranges::any_of(
      hello.tracks, [](const TrackHello& track) { return is_stream(track.format.codec); });
  if (streams) {
    open_streams(hello, opened);
  } else {
    open_packets(std::move(hello), std::move(opened));
  }
}

/// The tracks of packets open at once, and with them the meeting; the track behind a stream opens
/// when the stream has told its format.
void LiveMeetings::open_streams(const UplinkHello& hello, const Opened& opened) {
  UplinkHello packets = hello;
  std::erase_if(packets.tracks,
                [](const TrackHello& track) { return is_stream(track.format.codec); });
  open_packets(std::move(packets),
               [this, hello, opened](Result<std::vector<std::shared_ptr<TrackUplink>>> handles) {
                 if (!handles) return opened(handles.error());
                 std::vector<std::shared_ptr<TrackUplink>> all;
                 auto next = handles->begin();
                 for (const TrackHello& track : hello.tracks) {
                   if (!is_stream(track.format.codec)) {
                     all.push_back(*next++);
                     continue;
                   }
                   auto stream = open_stream(hello, track);
                   if (!stream) return opened(stream.error());
                   all.push_back(*std::move(stream));
                 }
                 opened(std::move(all));
               });
}

Result<std::shared_ptr<TrackUplink>> LiveMeetings::open_stream(const UplinkHello& hello,
                                                               const TrackHello& track) {
  if (!streams_) return Error{ErrorCode::kUnavailable, "this server cannot unpack streams"};
  UplinkHello behind = hello;
  behind.tracks = {track};
  return streams_->attach({hello.meeting, track.track, hello.clock},
                          track.format,
                          [this, behind](const AudioFormat& format, Stream::Opened opened) {
                            UplinkHello known = behind;
                            known.tracks.front().format = format;
                            open_packets(std::move(known),
                                         [opened = std::move(opened)](auto handles) {
                                           if (!handles) return opened(handles.error());
                                           opened(std::move(handles->front()));
                                         });
                          });
}

void LiveMeetings::open_packets(UplinkHello hello, Opened opened) {
  Shard& shard = shard_of(hello.meeting);
  auto on_live = [this, &shard, hello, opened](
                     const Result<std::vector<std::shared_ptr<TrackState>>>& states) {
    if (states) {
      opened(make_handles(shard, hello, *states));
    } else if (states.error().code == ErrorCode::kNotFound) {
      directory_.find(hello.meeting, [this, hello, opened](Result<MeetingRecord> record) {
        open_recorded(hello, std::move(record), opened);
      });
    } else {
      opened(states.error());
    }
  };
  if (!shard.post_open(hello, std::nullopt, std::move(on_live))) opened(kShardFull);
}

/// Second step for a meeting that was not live: its record is here.
void LiveMeetings::open_recorded(UplinkHello hello,
                                 Result<MeetingRecord> record,
                                 const Opened& opened) {
  if (!record) {
    opened(record.error());
    return;
  }
  Shard& shard = shard_of(hello.meeting);
  auto on_open =
      [&shard, hello, opened](const Result<std::vector<std::shared_ptr<TrackState>>>& states) {
        if (states) {
          opened(make_handles(shard, hello, *states));
        } else {
          opened(states.error());
        }
      };
  if (!shard.post_open(std::move(hello), *std::move(record), std::move(on_open))) {
    opened(kShardFull);
  }
}

void LiveMeetings::for_each_shard(const std::function<void()>& task) {
  for (const auto& shard : shards_)
    shard->post_task(task);
}

void LiveMeetings::end_meeting(MeetingId meeting, std::function<void(Status)> done) {
  auto on_live = [this, meeting, done](const Status& ended) {
    if (ended || ended.error().code != ErrorCode::kNotFound) return done(ended);
    directory_.find(meeting, [this, meeting, done](Result<MeetingRecord> record) {
      if (!record) return done(record.error());
      if (!shard_of(meeting).post_end(meeting, *std::move(record), done)) done(kShardFull);
    });
  };
  if (!shard_of(meeting).post_end(meeting, std::nullopt, std::move(on_live))) done(kShardFull);
}

void LiveMeetings::correct_speakers(MeetingId meeting,
                                    SpeakerChange change,
                                    std::function<void(Result<std::uint64_t>)> done) {
  auto on_live = [this, meeting, change, done](const Result<std::uint64_t>& offset) {
    if (offset || offset.error().code != ErrorCode::kNotFound) return done(offset);
    directory_.find(meeting, [this, meeting, change, done](Result<MeetingRecord> record) {
      if (!record) return done(record.error());
      if (!shard_of(meeting).post_correct(meeting, *std::move(record), change, done))
        done(kShardFull);
    });
  };
  if (!shard_of(meeting).post_correct(meeting, std::nullopt, change, std::move(on_live)))
    done(kShardFull);
}

void LiveMeetings::voice_hints(MeetingId meeting,
                               std::function<void(Result<std::vector<VoiceHint>>)> done) {
  if (!shard_of(meeting).post_hints(meeting, done)) done(kShardFull);
}

}  // namespace qylon::media
