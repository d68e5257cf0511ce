#include "storage/enrolled_voices.hpp"

#include <utility>

#include <pqxx/pqxx>

#include "storage/query_times.hpp"

namespace qylon::storage {
namespace {

/// The organisation that a caller works in; the server's own token works in the default one.
constexpr const char* kCallersOrg = "coalesce(app.org(), app.default_org())";
constexpr const char* kAsJson =
    "jsonb_build_object('id', id, 'name', name, 'source', source, 'model', model,"
    " 'consent', jsonb_build_object('by', consent_by, 'text', consent_text, 'at', consent_at),"
    " 'expires_at', expires_at, 'created_at', created_at)";

Status check_room(pqxx::transaction_base& transaction) {
  const auto count = transaction.exec1(
      std::string("select count(*) from enrolled_voices where org_id = ") + kCallersOrg)[0];
  if (count.as<std::size_t>() < kEnrolledVoicesMax) return ok();
  return Error{ErrorCode::kConflict,
               "an organisation has at most " + std::to_string(kEnrolledVoicesMax) +
                   " enrolled voices; forget one first"};
}

pqxx::row insert_voice(pqxx::transaction_base& transaction, const NewVoice& voice) {
  return transaction.exec_params1(
      std::string("insert into enrolled_voices (name, model, centroid, weight, source, consent_by,"
                  " consent_text, consent_at, expires_at)"
                  " values ($1, $2, $3, $4, $5, $6, $7,"
                  " coalesce(nullif($8, '')::timestamptz, now()),"
                  " coalesce(nullif($9, '')::timestamptz, now() + interval '1 year'))"
                  " returning org_id, id, ") +
          kAsJson,
      voice.name,
      voice.model,
      pqxx::binarystring(voice.centroid.data(), voice.centroid.size() * sizeof(float)),
      voice.weight,
      voice.source,
      voice.consent_by,
      voice.consent_text,
      voice.consent_at.value_or(""),
      voice.expires_at.value_or(""));
}

}  // namespace

Result<std::string> enrol_voice(Session& session, const Principal& caller, const NewVoice& voice) {
  std::string json;
  const Status status =
      session.transact_as(caller, [&](pqxx::transaction_base& transaction) -> Status {
        const Status room = check_room(transaction);
        if (!room) return room.error();
        const pqxx::row row = insert_voice(transaction, voice);
        transaction.exec_params1(
            "select app.audit($1::uuid, 'voice.enrolled', 'voice:' || $2,"
            " jsonb_build_object('source', $3::text, 'consent_text', $4::text))",
            row[0].as<std::string>(),
            row[1].as<std::string>(),
            voice.source,
            voice.consent_text);
        json = row[2].as<std::string>();
        return ok();
      });
  if (!status) return status.error();
  return json;
}

Result<std::string> list_enrolled_voices(Session& session, const Principal& caller) {
  std::string json;
  const Status status = session.transact_as(caller, [&](pqxx::transaction_base& transaction) {
    json = transaction
               .exec1(std::string("select jsonb_build_object('voices', coalesce(jsonb_agg(") +
                      kAsJson +
                      " order by created_at desc, id desc), '[]')) from enrolled_voices"
                      " where expires_at > now() and org_id = " +
                      kCallersOrg)[0]
               .as<std::string>();
    return ok();
  });
  if (!status) return status.error();
  return json;
}

Result<std::string> forget_voice(Session& session, const Principal& caller, std::string_view id) {
  std::string receipt;
  const Status status =
      session.transact_as(caller, [&](pqxx::transaction_base& transaction) -> Status {
        const auto rows = run_timed(
            transaction,
            std::string(
                "with gone as (delete from enrolled_voices where id = $1::uuid and org_id = ") +
                kCallersOrg +
                " returning *), receipt as (select org_id, jsonb_build_object("
                "'receipt', gen_random_uuid(), 'voice', id, 'forgotten_at', clock_timestamp(), "
                "'sha256',"
                " encode(sha256(convert_to(to_jsonb(gone)::text, 'UTF8')), 'hex')) as made from "
                "gone)"
                " select app.audit(org_id, 'voice.forgotten', 'voice:' || (made->>'voice'), made), "
                "made"
                " from receipt",
            std::string(id));
        if (rows.empty()) return Error{ErrorCode::kNotFound, "there is no such enrolled voice"};
        receipt = rows[0][1].as<std::string>();
        return ok();
      });
  if (!status) return status.error();
  return receipt;
}

Result<VoiceRow> find_speakers_voice(Session& session,
                                     const Principal& caller,
                                     MeetingId meeting,
                                     std::string_view key,
                                     std::string_view model) {
  VoiceRow voice;
  const Status status =
      session.transact_as(caller, [&](pqxx::transaction_base& transaction) -> Status {
        const auto rows =
            run_timed(transaction,
                      "select s.name, v.centroid, v.weight from speakers s"
                      " join voices v on v.meeting = s.meeting and v.model = $3"
                      " and v.key in (select s.key union all select m.key from speakers m"
                      " where m.meeting = s.meeting and m.merged_into = s.key)"
                      " where s.meeting = $1 and s.key = $2 and s.merged_into is null"
                      " order by v.weight desc limit 1",
                      meeting.to_string(),
                      std::string(key),
                      std::string(model));
        if (rows.empty()) {
          return Error{ErrorCode::kNotFound,
                       "the meeting has no speaker with this key whose voice is known"};
        }
        voice = voice_row(rows[0]);
        return ok();
      });
  if (!status) return status.error();
  return voice;
}

Result<std::vector<VoiceRow>> load_enrolled_voices(Session& session,
                                                   MeetingId meeting,
                                                   std::string_view model) {
  std::vector<VoiceRow> voices;
  const Status status = session.transact([&](pqxx::transaction_base& transaction) {
    voices.clear();
    const std::string of_org = "org_id = (select org_id from meetings where id = $1)";
    run_timed(transaction,
              "with gone as (delete from enrolled_voices where expires_at <= now() and " + of_org +
                  " returning org_id, id)"
                  " select app.audit(org_id, 'voice.expired', 'voice:' || id) from gone",
              meeting.to_string());
    for (const auto& row :
         run_timed(transaction,
                   "select name, centroid, weight from enrolled_voices where " + of_org +
                       " and model = $2 and expires_at > now() order by created_at limit " +
                       std::to_string(kEnrolledVoicesMax),
                   meeting.to_string(),
                   std::string(model))) {
      voices.push_back(voice_row(row));
    }
    return ok();
  });
  if (!status) return status.error();
  return voices;
}

}  // namespace qylon::storage
