#include "server/stored_meetings.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "realtime/caption_json.hpp"
#include "storage/journal.hpp"
#include "storage/meeting_store.hpp"

namespace qylon::server {
namespace {

const Error kQueueFull{ErrorCode::kOverloaded, "the database queue is full; try again later"};
// Segments of interims that a crash cut off were never stored; new ones start beyond them.
constexpr std::uint64_t kSegmentsBeyond = 1'000;

media::TrackRecord track_record(const storage::TrackRow& row) {
  media::TrackRecord record;
  record.hello.track = row.track;
  record.hello.label = row.label;
  record.hello.speaker = row.speaker;
  record.clock = row.clock;
  record.clock_zero_ms = row.anchor_ms;
  return record;
}

/// Adds what the journal holds of the meeting's tracks, each since its newest clock began at seq 0.
Status load_journalled(const std::string& journal_dir, media::MeetingRecord& record) {
  const auto report = storage::Journal::replay(journal_dir, [&](const storage::Record& entry) {
    if (entry.type != storage::RecordType::kAudio || !(entry.meeting == record.info.id)) return;
    auto& frames = record.journalled[entry.track].frames;
    if (entry.seq == 0) frames.clear();
    media::UplinkFrame frame;
    frame.track = entry.track;
    frame.seq = entry.seq;
    frame.capture_us = static_cast<std::uint64_t>(entry.position);
    frame.payload = entry.payload;
    frames.push_back(std::move(frame));
  });
  for (const media::TrackRecord& track : record.tracks) {
    const auto at = record.journalled.find(track.hello.track);
    if (at != record.journalled.end()) at->second.clock = track.clock;
  }
  return report ? ok() : Status(report.error());
}

Result<media::MeetingRecord> load_record(storage::Session& session,
                                         MeetingId meeting,
                                         const std::string& journal_dir) {
  auto transcript = storage::load_transcript(session, meeting);
  if (!transcript) return transcript.error();
  auto tracks = storage::load_tracks(session, meeting);
  if (!tracks) return tracks.error();
  media::MeetingRecord record;
  record.info = transcript->meeting;
  std::map<std::string, Speaker> speakers;
  std::map<TrackId, std::int64_t> final_until;
  for (const Caption& caption : transcript->captions) {
    record.last_offset = std::max(record.last_offset, caption.offset.value_or(0));
    record.last_segment = std::max(record.last_segment, caption.segment);
    auto& final_until_ms = final_until[caption.track];
    final_until_ms = std::max(final_until_ms, caption.end_ms);
    if (!caption.speaker.key.empty()) speakers[caption.speaker.key] = caption.speaker;
  }
  if (record.info.started_us) record.last_segment += kSegmentsBeyond;
  for (auto& [key, speaker] : speakers)
    record.speakers.push_back(std::move(speaker));
  for (const storage::TrackRow& row : *tracks)
    record.tracks.push_back(track_record(row));
  if (!record.info.started_us || record.info.ended_us) return record;
  const Status journalled = load_journalled(journal_dir, record);
  if (!journalled) return journalled.error();
  for (auto& [track, audio] : record.journalled)
    audio.final_until_ms = final_until[track];
  return record;
}

/// What can be said of a meeting that is not in memory.
std::string resting_status(const MeetingInfo& info) {
  media::MeetingStatus status;
  status.meeting = info.id;
  status.state = info.state;
  status.captions = "full";
  return realtime::encode_status(status);
}

Result<realtime::History::Page> load_page(storage::Session& session,
                                          MeetingId meeting,
                                          std::uint64_t after_offset,
                                          std::size_t limit) {
  const auto info = storage::find_meeting(session, meeting);
  if (!info) return info.error();
  realtime::History::Page page;
  page.epoch = info->epoch;
  page.status = std::make_shared<const std::string>(resting_status(*info));
  if (limit > 0) {
    const auto captions = storage::load_captions(session, meeting, after_offset, limit);
    if (!captions) return captions.error();
    for (const Caption& caption : *captions) {
      page.finals.emplace_back(
          *caption.offset, std::make_shared<const std::string>(realtime::encode_caption(caption)));
    }
  }
  const auto last = storage::last_offset(session, meeting);
  if (!last) return last.error();
  page.last_offset = *last;
  return page;
}

}  // namespace

void StoredMeetings::find(MeetingId meeting, Found found) {
  const bool taken = database_.submit([this, meeting, found](storage::Session& session) {
    found(load_record(session, meeting, journal_dir_));
  });
  if (!taken) found(kQueueFull);
}

void StoredMeetings::read(MeetingId meeting,
                          std::uint64_t after_offset,
                          std::size_t limit,
                          Answer answer) {
  const bool taken = database_.submit([=, this](storage::Session& session) {
    auto page = load_page(session, meeting, after_offset, limit);
    if (page) {
      auto live = publisher_.newest_status(meeting);
      if (live) page->status = std::move(live);
    }
    answer(std::move(page));
  });
  if (!taken) answer(kQueueFull);
}

}  // namespace qylon::server
