#include "server/stored_meetings.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "realtime/caption_json.hpp"
#include "server/resting_status.hpp"
#include "storage/audio_record.hpp"
#include "storage/caption_record.hpp"
#include "storage/enrolled_voices.hpp"
#include "storage/meeting_store.hpp"
#include "storage/speaker_store.hpp"

namespace qylon::server {
namespace {

const Error kQueueFull{ErrorCode::kOverloaded, "the database queue is full; try again later"};
// Segments of interims that a crash cut off were never stored; new ones start beyond them.
constexpr std::uint64_t kSegmentsBeyond = 1'000;

using FinalUntil = std::map<TrackId, std::int64_t>;  // Meeting time up to which a track has finals.

media::TrackRecord track_record(const storage::TrackRow& row) {
  media::TrackRecord record;
  record.hello.track = row.track;
  record.hello.label = row.label;
  record.hello.speaker = row.speaker;
  record.clock = row.clock;
  record.clock_zero_ms = row.anchor_ms;
  const auto format = media::make_audio_format(row.codec, row.sample_rate_hz, row.channels);
  if (format) record.hello.format = *format;  // It was taken when the row was written.
  return record;
}

/// What a final says of who is in the meeting.
void add_speaker(const Caption& caption, media::StoredSpeakers& speakers) {
  const bool corrects = caption.change != nullptr;
  const Speaker& speaker = corrects ? caption.change->speaker : caption.speaker;
  if (corrects && caption.change->kind == SpeakerChange::Kind::kMerge)
    speakers.merged[caption.change->from] = speaker.key;
  if (corrects) speakers.merged.erase(speaker.key);
  if (speaker.key.empty()) return;
  const auto known = std::ranges::find(speakers.known, speaker.key, &Speaker::key);
  if (known == speakers.known.end()) {
    speakers.known.push_back(speaker);
  } else if (corrects && caption.change->kind == SpeakerChange::Kind::kRename) {
    *known = speaker;
  }
}

Result<media::StoredSpeakers> load_speakers(storage::Session& session,
                                            MeetingId meeting,
                                            std::string_view voice_model) {
  media::StoredSpeakers speakers;
  auto merged = storage::load_merged_speakers(session, meeting);
  if (!merged) return merged.error();
  speakers.merged = *std::move(merged);
  auto voices = storage::load_voices(session, meeting, voice_model);
  if (!voices) return voices.error();
  for (storage::VoiceRow& voice : *voices)
    speakers.voices.push_back({std::move(voice.key), std::move(voice.centroid), voice.weight});
  auto enrolled = storage::load_enrolled_voices(session, meeting, voice_model);
  if (!enrolled) return enrolled.error();
  for (storage::VoiceRow& voice : *enrolled)
    speakers.enrolled.push_back({std::move(voice.key), std::move(voice.centroid), voice.weight});
  return speakers;
}

/// Finals that PostgreSQL has not taken yet are in the journal.
void add_journalled_captions(const storage::Spool& spool,
                             media::MeetingRecord& record,
                             FinalUntil& final_until) {
  spool.read_captions(record.info.id, record.last_offset, [&](const storage::Record& entry) {
    const auto caption = storage::parse_caption_record(entry);
    if (!caption) return true;
    record.last_segment = std::max(record.last_segment, caption->segment);
    auto& until_ms = final_until[caption->track];
    until_ms = std::max(until_ms, caption->end_ms);
    add_speaker(*caption, record.speakers);
    return true;
  });
  record.last_offset = std::max(record.last_offset, spool.last_caption(record.info.id));
}

/// Adds the newest minute of what the journal holds of the meeting's tracks, each of its newest
/// clock: what a track hears again, and where its numbering stands.
void add_journalled_audio(const storage::Spool& spool, media::MeetingRecord& record) {
  constexpr std::int64_t kKeptUs = 2 * media::Track::kHeardAgainMsMax * 1000;
  spool.read_audio(record.info.id, [&](const storage::Record& entry) {
    auto frame = storage::parse_audio_record(entry);
    if (!frame) return true;
    media::JournalledAudio& audio = record.journalled[frame->track];
    if (audio.clock != frame->clock)
      audio = {.clock = frame->clock, .frames = {}, .final_until_ms = 0};
    audio.frames.push_back({.flags = 0,
                            .track = frame->track,
                            .seq = frame->seq,
                            .capture_us = static_cast<std::uint64_t>(frame->capture_us),
                            .payload = std::move(frame->payload)});
    while (frame->capture_us - static_cast<std::int64_t>(audio.frames.front().capture_us) > kKeptUs)
      audio.frames.pop_front();
    return true;
  });
}

Result<media::MeetingRecord> load_record(storage::Session& session,
                                         MeetingId meeting,
                                         const storage::Spool& spool,
                                         std::string_view voice_model) {
  auto info = storage::find_meeting(session, meeting);
  if (!info) return info.error();
  auto summary = storage::summarise_transcript(session, meeting);
  if (!summary) return summary.error();
  const auto tracks = storage::load_tracks(session, meeting);
  if (!tracks) return tracks.error();
  media::MeetingRecord record;
  record.info = *std::move(info);
  record.last_offset = summary->last_offset;
  record.last_segment = summary->last_segment;
  auto speakers = load_speakers(session, meeting, voice_model);
  if (!speakers) return speakers.error();
  record.speakers = *std::move(speakers);
  record.speakers.known = std::move(summary->speakers);
  for (const storage::TrackRow& row : *tracks)
    record.tracks.push_back(track_record(row));
  FinalUntil& final_until = summary->final_until_ms;
  add_journalled_captions(spool, record, final_until);
  if (record.info.ended_us) return record;
  add_journalled_audio(spool, record);
  if (!record.info.started_us && !record.journalled.empty()) {
    // PostgreSQL was away when it began, and the server was killed before it came back.
    auto started = storage::set_meeting_state(session, meeting, MeetingState::kLive);
    if (!started) return started.error();
    record.info = *std::move(started);
  }
  if (record.info.started_us) record.last_segment += kSegmentsBeyond;
  for (auto& [track, audio] : record.journalled)
    audio.final_until_ms = final_until[track];
  return record;
}

void add_final(const Caption& caption, realtime::History::Page& page) {
  page.finals.emplace_back(*caption.offset,
                           std::make_shared<const std::string>(realtime::encode_caption(caption)));
}

/// What PostgreSQL has of the page. Errors: those of the database.
Status add_stored(storage::Session& session,
                  MeetingId meeting,
                  std::uint64_t after_offset,
                  std::size_t limit,
                  realtime::History::Page& page) {
  const auto info = storage::find_meeting(session, meeting);
  if (!info) return info.error();
  page.epoch = info->epoch;
  page.status = std::make_shared<const std::string>(realtime::encode_status(resting_status(*info)));
  if (limit > 0) {
    const auto captions = storage::load_captions(session, meeting, after_offset, limit);
    if (!captions) return captions.error();
    for (const Caption& caption : *captions)
      add_final(caption, page);
  }
  const auto last = storage::last_offset(session, meeting);
  if (!last) return last.error();
  page.last_offset = *last;
  return ok();
}

/// What follows in the journal, as far as it follows without a hole.
void add_journalled(const storage::Spool& spool,
                    MeetingId meeting,
                    std::uint64_t after_offset,
                    std::size_t limit,
                    realtime::History::Page& page) {
  page.last_offset = std::max(page.last_offset, spool.last_caption(meeting));
  if (page.finals.size() >= limit) return;
  std::uint64_t next = page.finals.empty() ? after_offset + 1 : page.finals.back().first + 1;
  spool.read_captions(meeting, next - 1, [&](const storage::Record& record) {
    const auto caption = storage::parse_caption_record(record);
    if (!caption || *caption->offset != next) return true;
    add_final(*caption, page);
    ++next;
    return page.finals.size() < limit;
  });
}

}  // namespace

void StoredMeetings::find(MeetingId meeting, Found found) {
  const bool taken = database_.submit([this, meeting, found](storage::Session& session) {
    auto record = load_record(session, meeting, journal_.spool(), publisher_.voice_model());
    if (record && !record->info.started_us && !journal_.takes_new_streams()) {
      found(Error{ErrorCode::kOverloaded, "the disk takes no new streams; try again later"});
      return;
    }
    found(std::move(record));
  });
  if (!taken) found(kQueueFull);
}

void StoredMeetings::read(MeetingId meeting,
                          std::uint64_t after_offset,
                          std::size_t limit,
                          Answer answer) {
  const bool taken = database_.submit([=, this](storage::Session& session) {
    answer(load_page(session, meeting, after_offset, limit));
  });
  if (!taken) answer(kQueueFull);
}

/// A live meeting's page needs no database when the journal reaches back to it.
Result<realtime::History::Page> StoredMeetings::load_page(storage::Session& session,
                                                          MeetingId meeting,
                                                          std::uint64_t after_offset,
                                                          std::size_t limit) const {
  realtime::History::Page page;
  const Status stored = add_stored(session, meeting, after_offset, limit, page);
  add_journalled(journal_.spool(), meeting, after_offset, limit, page);
  if (!stored) {
    const auto epoch = publisher_.epoch(meeting);
    const bool lacks = limit > 0 && page.finals.empty() && page.last_offset > after_offset;
    if (!epoch || lacks) return stored.error();
    page.epoch = *epoch;
  }
  auto live = publisher_.newest_status(meeting);
  if (live) page.status = std::move(live);
  return page;
}

}  // namespace qylon::server
