#pragma once
/// Meetings and what was said in them, as rows. Every function is one transaction.
///
/// Threads: inside a Database job. Errors common to all: those of Session::transact.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "core/transcript.hpp"
#include "storage/database.hpp"

namespace qylon::storage {

struct NewMeeting {
  std::string title;                  ///< UTF-8, at most 500 characters; may be empty.
  std::vector<std::string> glossary;  ///< At most 1,000 entries of at most 200 characters.
};

/// Random id and epoch, state created; it becomes the principal's. Errors: kForbidden.
Result<MeetingInfo> create_meeting(Session& session,
                                   const NewMeeting& meeting,
                                   const Principal& principal = Principal::service());
/// Errors: kNotFound.
Result<MeetingInfo> find_meeting(Session& session, MeetingId meeting);
/// Those that the principal sees, newest first; `before` is the last id of the page before. `limit`
/// is held in 1..500. Errors: kNotFound when `before` is no meeting.
Result<std::vector<MeetingInfo>> list_meetings(Session& session,
                                               std::size_t limit,
                                               std::optional<MeetingId> before = std::nullopt,
                                               const Principal& principal = Principal::service());

/// Moves a meeting on, stamping started_us on the first kLive and ended_us on kEnded. A meeting may
/// go live again from kEnding (its server was killed meanwhile); kEnded is final.
/// Errors: kNotFound; kConflict when the meeting has ended or would go back to kCreated.
/// `started_us` is the wall time of the start; absent: now.
Result<MeetingInfo> set_meeting_state(Session& session,
                                      MeetingId meeting,
                                      MeetingState state,
                                      std::optional<std::int64_t> started_us = std::nullopt);

/// Somebody who took part, as the uplink or a person named them. Written again: the newer wins.
struct ParticipantRow {
  std::string key;  ///< Stable inside the meeting, e.g. "t3".
  std::string name;
};
Status save_participant(Session& session, MeetingId meeting, const ParticipantRow& participant);
Result<std::vector<ParticipantRow>> load_participants(Session& session, MeetingId meeting);

/// What a hello said about a track, and where its clock stands on the meeting's.
struct TrackRow {
  TrackId track = 0;
  std::string label;
  std::string speaker;
  std::string codec;  ///< "opus", "pcm_s16le", "pcm_f32le".
  int sample_rate_hz = 48000;
  int channels = 1;
  ClockId clock;
  std::int64_t anchor_ms = 0;  ///< Meeting time of the clock's zero.
};
/// Inserts, or replaces the row of the same track.
Status save_track(Session& session, MeetingId meeting, const TrackRow& track);
Result<std::vector<TrackRow>> load_tracks(Session& session, MeetingId meeting);

/// What a meeting that opens again must know of its transcript, without reading it.
struct TranscriptSummary {
  std::uint64_t last_offset = 0;
  std::uint64_t last_segment = 0;
  std::map<TrackId, std::int64_t> final_until_ms;  ///< Latest end of a final.
  std::vector<Speaker> speakers;                   ///< By key.
};
/// Cost: reads the meeting's utterances in the database, not their words, and returns a few rows.
Result<TranscriptSummary> summarise_transcript(Session& session, MeetingId meeting);

/// Highest caption offset stored, 0 when there is none.
Result<std::uint64_t> last_offset(Session& session, MeetingId meeting);

/// Stores finals of any meetings in one transaction: utterances, their words, their speakers, and
/// corrections of these, each applied to what came before it.
/// A caption that is there already (same meeting and offset) is left as it is, so a retry after a
/// lost answer changes nothing.
/// REQUIRES: every caption has an offset.
/// Errors: kNotFound when a meeting does not exist; kInvalidArgument for text PostgreSQL refuses
///         (not UTF-8, or with a zero byte). Nothing is stored then.
Status append_captions(Session& session, std::span<const CaptionPtr> captions);

/// Finals after `after_offset` in offset order as they were published, with words; at most `limit`
/// (held in 1..10,000).
Result<std::vector<Caption>> load_captions(Session& session,
                                           MeetingId meeting,
                                           std::uint64_t after_offset,
                                           std::size_t limit);
/// The meeting and all its captions with the speakers that hold now. Errors: kNotFound.
Result<Transcript> load_transcript(Session& session, MeetingId meeting);

}  // namespace qylon::storage
