#include "storage/meeting_store.hpp"

#include <algorithm>
#include <utility>

#include <pqxx/pqxx>

#include "storage/query_times.hpp"
#include "storage/sql_array.hpp"

namespace qylon::storage {
namespace {

// Times leave PostgreSQL as whole microseconds: numeric arithmetic, nothing is rounded.
constexpr const char* kMeetingColumns =
    "id, epoch, title, state, glossary, (extract(epoch from created_at) * 1000000)::bigint,"
    " (extract(epoch from started_at) * 1000000)::bigint,"
    " (extract(epoch from ended_at) * 1000000)::bigint";

std::string select_meeting(const char* rest) {
  return std::string("select ") + kMeetingColumns + " from meetings " + rest;
}

Error no_such_meeting(MeetingId meeting) {
  return {ErrorCode::kNotFound, "there is no meeting " + meeting.to_string()};
}

template <typename Id>
Id read_id(const pqxx::field& field) {
  const auto id = Id::parse(field.c_str());
  QYLON_CHECK(id.has_value());  // The column's type is uuid.
  return *id;
}

std::optional<std::int64_t> read_time(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return field.as<std::int64_t>();
}

std::vector<std::string> read_texts(const pqxx::field& field) {
  std::vector<std::string> texts;
  pqxx::array_parser parser = field.as_array();
  for (auto item = parser.get_next(); item.first != pqxx::array_parser::done;
       item = parser.get_next()) {
    if (item.first == pqxx::array_parser::string_value) texts.push_back(std::move(item.second));
  }
  return texts;
}

MeetingState read_state(std::string_view name) {
  for (const MeetingState state :
       {MeetingState::kCreated, MeetingState::kLive, MeetingState::kEnding}) {
    if (name == meeting_state_name(state)) return state;
  }
  return MeetingState::kEnded;
}

MeetingInfo read_meeting(const pqxx::row& row) {
  MeetingInfo info;
  info.id = read_id<MeetingId>(row[0]);
  info.epoch = read_id<Epoch>(row[1]);
  info.title = row[2].as<std::string>();
  info.state = read_state(row[3].c_str());
  info.glossary = read_texts(row[4]);
  info.created_us = row[5].as<std::int64_t>();
  info.started_us = read_time(row[6]);
  info.ended_us = read_time(row[7]);
  return info;
}

/// The transaction's result, or its error.
template <typename T>
Result<T> result_of(const Status& status, T&& value) {
  if (!status) return status.error();
  return std::forward<T>(value);
}

Status read_single_meeting(const pqxx::result& rows, MeetingId meeting, MeetingInfo& info) {
  if (rows.empty()) return no_such_meeting(meeting);
  info = read_meeting(rows.front());
  return ok();
}

/// What a meeting that has ended said is found out by a job (api/domains/meeting_insights.cpp).
void read_later(pqxx::transaction_base& transaction, MeetingId meeting) {
  run_timed(transaction,
            "select app.enqueue('meeting.insights', jsonb_build_object('meeting', id), org_id,"
            " dedupe => id::text) from meetings where id = $1",
            meeting.to_string());
}

}  // namespace

Result<MeetingInfo> create_meeting(Session& session,
                                   const NewMeeting& meeting,
                                   const Principal& principal) {
  SqlArray glossary;
  for (const std::string& entry : meeting.glossary)
    glossary.add(entry);
  MeetingInfo info;
  const Status status = session.transact_as(principal, [&](pqxx::transaction_base& transaction) {
    const pqxx::result rows =
        run_timed(transaction,
                  std::string("insert into meetings (id, epoch, title, glossary)"
                              " values ($1, $2, $3, $4) returning ") +
                      kMeetingColumns,
                  MeetingId::random().to_string(),
                  Epoch::random().to_string(),
                  meeting.title,
                  glossary.str());
    info = read_meeting(rows.front());
    return ok();
  });
  return result_of(status, std::move(info));
}

Result<MeetingInfo> find_meeting(Session& session, MeetingId meeting) {
  MeetingInfo info;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) {
    return read_single_meeting(
        run_timed(transaction, select_meeting("where id = $1"), meeting.to_string()),
        meeting,
        info);
  });
  return result_of(status, std::move(info));
}

Result<std::vector<MeetingInfo>> list_meetings(Session& session,
                                               std::size_t limit,
                                               std::optional<MeetingId> before,
                                               const Principal& principal) {
  const auto rows_max = static_cast<int>(std::clamp<std::size_t>(limit, 1, 500));
  std::vector<MeetingInfo> meetings;
  const Status status = session.transact_as(principal, [&](pqxx::transaction_base& transaction) {
    if (before) {
      const auto found =
          run_timed(transaction, "select from meetings where id = $1", before->to_string());
      if (found.empty()) return Status(no_such_meeting(*before));
    }
    const pqxx::result rows =
        before ? run_timed(transaction,
                           select_meeting("where (created_at, id) <"
                                          " (select created_at, id from meetings where id = $2)"
                                          " order by created_at desc, id desc limit $1"),
                           rows_max,
                           before->to_string())
               : run_timed(transaction,
                           select_meeting("order by created_at desc, id desc limit $1"),
                           rows_max);
    for (const auto& row : rows)
      meetings.push_back(read_meeting(row));
    return ok();
  });
  return result_of(status, std::move(meetings));
}

Result<MeetingInfo> set_meeting_state(Session& session,
                                      MeetingId meeting,
                                      MeetingState state,
                                      std::optional<std::int64_t> started_us) {
  if (state == MeetingState::kCreated)
    return Error{ErrorCode::kConflict, "a meeting does not go back to created"};
  MeetingInfo info;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) {
    const pqxx::result updated =
        run_timed(transaction,
                  std::string("update meetings set state = $2,"
                              " started_at = case when $2 = 'live' then coalesce(started_at,"
                              "  to_timestamp($3::double precision / 1000000), now())"
                              " else started_at end,"
                              " ended_at = case when $2 = 'ended' then now() end"
                              " where id = $1 and state <> 'ended' returning ") +
                      kMeetingColumns,
                  meeting.to_string(),
                  std::string(meeting_state_name(state)),
                  started_us);
    if (!updated.empty()) {
      if (state == MeetingState::kEnded) read_later(transaction, meeting);
      return read_single_meeting(updated, meeting, info);
    }
    const auto found =
        run_timed(transaction, "select from meetings where id = $1", meeting.to_string());
    if (found.empty()) return Status(no_such_meeting(meeting));
    return Status(Error{ErrorCode::kConflict, "the meeting has ended"});
  });
  return result_of(status, std::move(info));
}

Status save_participant(Session& session, MeetingId meeting, const ParticipantRow& participant) {
  return session.transact([&](pqxx::transaction_base& transaction) {
    run_timed(transaction,
              "insert into participants (meeting, key, name) values ($1, $2, $3)"
              " on conflict (meeting, key) do update set name = excluded.name",
              meeting.to_string(),
              participant.key,
              participant.name);
    return ok();
  });
}

Result<std::vector<ParticipantRow>> load_participants(Session& session, MeetingId meeting) {
  std::vector<ParticipantRow> participants;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) {
    const auto rows =
        run_timed(transaction,
                  "select key, name from participants where meeting = $1 order by joined_at, key",
                  meeting.to_string());
    for (const auto& row : rows)
      participants.push_back({row[0].as<std::string>(), row[1].as<std::string>()});
    return ok();
  });
  return result_of(status, std::move(participants));
}

Status save_track(Session& session, MeetingId meeting, const TrackRow& track) {
  return session.transact([&](pqxx::transaction_base& transaction) {
    run_timed(transaction,
              "insert into tracks (meeting, track, label, speaker, codec, sample_rate_hz, channels,"
              " clock_id, anchor_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
              " on conflict (meeting, track) do update set label = excluded.label,"
              " speaker = excluded.speaker, codec = excluded.codec,"
              " sample_rate_hz = excluded.sample_rate_hz, channels = excluded.channels,"
              " clock_id = excluded.clock_id, anchor_ms = excluded.anchor_ms",
              meeting.to_string(),
              int{track.track},
              track.label,
              track.speaker,
              track.codec,
              track.sample_rate_hz,
              track.channels,
              track.clock.to_string(),
              track.anchor_ms);
    return ok();
  });
}

Result<std::vector<TrackRow>> load_tracks(Session& session, MeetingId meeting) {
  std::vector<TrackRow> tracks;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) {
    const auto rows = run_timed(
        transaction,
        "select track, label, speaker, codec, sample_rate_hz, channels, clock_id, anchor_ms"
        " from tracks where meeting = $1 order by track",
        meeting.to_string());
    for (const auto& row : rows) {
      tracks.push_back({static_cast<TrackId>(row[0].as<int>()),
                        row[1].as<std::string>(),
                        row[2].as<std::string>(),
                        row[3].as<std::string>(),
                        row[4].as<int>(),
                        row[5].as<int>(),
                        read_id<ClockId>(row[6]),
                        row[7].as<std::int64_t>()});
    }
    return ok();
  });
  return result_of(status, std::move(tracks));
}

}  // namespace qylon::storage
