#include "server/publisher.hpp"

#include <utility>

#include "realtime/caption_json.hpp"
#include "server/resting_status.hpp"
#include "storage/audio_record.hpp"
#include "storage/caption_record.hpp"
#include "storage/meeting_store.hpp"
#include "storage/speaker_store.hpp"

namespace qylon::server {
namespace {

// Conflation keys of topics that have one message only. Captions use their segment, from 1.
constexpr std::uint64_t kNewestOnly = 1;

storage::TrackRow track_row(const media::TrackRecord& track) {
  return {.track = track.hello.track,
          .label = track.hello.label,
          .speaker = track.hello.speaker,
          .codec = std::string(media::codec_name(track.hello.format.codec)),
          .sample_rate_hz = track.hello.format.sample_rate_hz,
          .channels = track.hello.format.channels,
          .clock = track.clock,
          .anchor_ms = track.clock_zero_ms};
}

}  // namespace

Publisher::Publisher(const Parts& parts)
    : parts_(parts),
      undurable_(parts.counters.counter("qylon_finals_undurable_total",
                                        "Finals shown although the journal could not write.")) {}

void Publisher::on_opened(const MeetingInfo& meeting) {
  const MutexLock lock(live_mutex_);
  Live& live = live_[meeting.id];
  live.epoch = meeting.epoch;
  ++live.opens;
}

void Publisher::on_closed(MeetingId meeting) {
  after_journal(std::nullopt, [this, meeting] {
    const MutexLock lock(live_mutex_);
    const auto at = live_.find(meeting);
    if (at != live_.end() && --at->second.opens == 0) live_.erase(at);
  });
}

std::optional<Epoch> Publisher::epoch(MeetingId meeting) const {
  const MutexLock lock(live_mutex_);
  const auto at = live_.find(meeting);
  if (at == live_.end()) return std::nullopt;
  return at->second.epoch;
}

std::shared_ptr<const std::string> Publisher::newest_status(MeetingId meeting) const {
  const MutexLock lock(live_mutex_);
  const auto at = live_.find(meeting);
  return at == live_.end() ? nullptr : at->second.status;
}

void Publisher::on_started(MeetingId meeting, std::int64_t started_us) {
  parts_.writer.add_row([meeting, started_us](storage::Session& session) {
    const auto set = storage::set_meeting_state(session, meeting, MeetingState::kLive, started_us);
    return set ? ok() : Status(set.error());
  });
}

void Publisher::on_track(MeetingId meeting, const media::TrackRecord& track) {
  parts_.writer.add_row([meeting, row = track_row(track)](storage::Session& session) {
    Status saved = storage::save_track(session, meeting, row);
    if (!saved || row.speaker.empty()) return saved;
    return storage::save_participant(
        session, meeting, {.key = "t" + std::to_string(row.track), .name = row.speaker});
  });
}

void Publisher::on_audio(MeetingId meeting,
                         ClockId clock,
                         media::UplinkFrame frame,
                         std::function<void(bool)> synced) {
  auto record =
      storage::make_audio_record({.meeting = meeting,
                                  .track = frame.track,
                                  .clock = clock,
                                  .seq = frame.seq,
                                  .capture_us = static_cast<std::int64_t>(frame.capture_us),
                                  .payload = std::move(frame.payload)});
  auto shared = std::make_shared<std::function<void(bool)>>(std::move(synced));
  const bool taken =
      parts_.journal.append(std::move(record), [shared](bool durable) { (*shared)(durable); });
  if (!taken) (*shared)(false);
}

/// Shows `show` once `record` is settled and everything that came before has been shown.
void Publisher::after_journal(std::optional<storage::Record> record, std::function<void()> show) {
  auto step = std::make_shared<Step>();
  step->show = std::move(show);
  {
    const MutexLock lock(steps_mutex_);
    steps_.push_back(step);
    ++unsettled_;
  }
  const auto settle = [this, step](bool durable) {
    // A disk that refused and came back tells twice, the second time perhaps after our end.
    if (std::exchange(step->told, true)) return;
    if (!durable) undurable_.add();
    {
      const MutexLock lock(steps_mutex_);
      step->ready = true;
    }
    show_ready();
    const MutexLock lock(steps_mutex_);
    --unsettled_;
    settled_.notify_all();
  };
  if (!record || !parts_.journal.append(*std::move(record), settle)) settle(!record);
}

void Publisher::drain() {
  const MutexLock lock(steps_mutex_);
  while (unsettled_ > 0)
    settled_.wait(steps_mutex_);
}

void Publisher::show_ready() {
  const MutexLock showing(show_mutex_);
  while (true) {
    std::shared_ptr<Step> step;
    {
      const MutexLock lock(steps_mutex_);
      if (steps_.empty() || !steps_.front()->ready) return;
      step = std::move(steps_.front());
      steps_.pop_front();
    }
    step->show();
  }
}

void Publisher::publish(realtime::Publication publication) {
  {
    const MutexLock lock(live_mutex_);
    const auto at = live_.find(publication.meeting);
    if (at == live_.end()) return;
    publication.epoch = at->second.epoch;
    if (publication.topic == realtime::Topic::kStatus) at->second.status = publication.json;
  }
  realtime::Hub* const hub = hub_;
  if (hub != nullptr) hub->publish(std::move(publication));
}

void Publisher::on_voices(MeetingId meeting, std::vector<media::StoredVoice> voices) {
  std::vector<storage::VoiceRow> rows;
  for (media::StoredVoice& voice : voices)
    rows.push_back({std::move(voice.key), std::move(voice.centroid), voice.weight});
  parts_.writer.add_row([this, meeting, rows = std::move(rows)](storage::Session& session) {
    return storage::save_voices(session, meeting, parts_.voice_model, rows);
  });
}

void Publisher::on_interim(CaptionPtr caption) {
  publish({.meeting = caption->meeting,
           .epoch = {},
           .topic = realtime::Topic::kCaptions,
           .json = std::make_shared<const std::string>(realtime::encode_caption(*caption)),
           .offset = std::nullopt,
           .conflation_key = caption->segment});
}

void Publisher::on_final(CaptionPtr caption) {
  after_journal(storage::make_caption_record(*caption), [this, caption] { show_final(caption); });
}

void Publisher::show_final(const CaptionPtr& caption) {
  parts_.writer.add(caption);
  publish({.meeting = caption->meeting,
           .epoch = {},
           .topic = realtime::Topic::kCaptions,
           .json = std::make_shared<const std::string>(realtime::encode_caption(*caption)),
           .offset = caption->offset,
           .conflation_key = caption->segment});
}

void Publisher::on_status(std::shared_ptr<const media::MeetingStatus> status) {
  if (status->state != MeetingState::kEnded) {
    show_status(*status);
    return;
  }
  // The last status follows the last final.
  after_journal(std::nullopt, [this, status] { show_status(*status); });
}

void Publisher::show_status(const media::MeetingStatus& status) {
  publish({.meeting = status.meeting,
           .epoch = {},
           .topic = realtime::Topic::kStatus,
           .json = std::make_shared<const std::string>(realtime::encode_status(status)),
           .offset = std::nullopt,
           .conflation_key = kNewestOnly});
}

void Publisher::on_levels(MeetingId meeting, std::vector<media::TrackLevel> levels) {
  publish({.meeting = meeting,
           .epoch = {},
           .topic = realtime::Topic::kLevels,
           .json = std::make_shared<const std::string>(realtime::encode_levels(meeting, levels)),
           .offset = std::nullopt,
           .conflation_key = kNewestOnly});
}

void Publisher::on_ended(MeetingId meeting, std::function<void(Status)> done) {
  storage::Record record;
  record.type = storage::RecordType::kMeetingEnded;
  record.meeting = meeting;
  auto shared = std::make_shared<std::function<void(Status)>>(std::move(done));
  const bool was_live = epoch(meeting).has_value();
  after_journal(std::move(record), [this, meeting, was_live, shared] {
    realtime::Hub* const hub = hub_;
    if (hub != nullptr) hub->close_meeting_uplinks(meeting);
    // Who hears of the end may fetch the recordings: they are complete first.
    parts_.recorder.close_meeting(meeting, [this, meeting, was_live, shared] {
      parts_.writer.flush([this, meeting, was_live, shared](const Status& stored) {
        if (!stored) {
          (*shared)(stored);
        } else {
          store_end(meeting, was_live, *shared);
        }
      });
    });
  });
}

/// Viewers of a meeting that was not in memory have heard of its end from nobody yet.
void Publisher::show_rest(const MeetingInfo& meeting) {
  realtime::Hub* const hub = hub_;
  if (hub == nullptr) return;
  const auto status = realtime::encode_status(resting_status(meeting));
  hub->publish({.meeting = meeting.id,
                .epoch = meeting.epoch,
                .topic = realtime::Topic::kStatus,
                .json = std::make_shared<const std::string>(status),
                .offset = std::nullopt,
                .conflation_key = kNewestOnly});
}

void Publisher::store_end(MeetingId meeting,
                          bool was_live,
                          const std::function<void(Status)>& done) {
  const auto store = [this, meeting, was_live, done](storage::Session& session) {
    const auto set = storage::set_meeting_state(session, meeting, MeetingState::kEnded);
    if (set && !was_live) show_rest(*set);
    realtime::Hub* const hub = hub_;
    if (set && hub != nullptr) hub->retire_meeting(meeting);
    done(set ? ok() : Status(set.error()));
  };
  if (!parts_.database.submit(store))
    done(Error{ErrorCode::kOverloaded, "the database queue is full; end it again"});
}

}  // namespace qylon::server
