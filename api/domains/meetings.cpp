/// Meetings and what was said in them, as the media path stores it (storage/meeting_store.hpp).

#include <charconv>

#include "api/core/sql_answer.hpp"
#include "api/domains/domains.hpp"
#include "api/http_answers.hpp"

namespace qylon::api {
namespace {

/// Rows that the server writes about a meeting, in the meeting's organisation.
Entity of_meeting(const char* name) {
  return Entity(name)
      .organisation()
      .organisation_by_default("")
      .written_by_server()
      .also_for("qylon_app")
      .trigger("inherit", "before insert when (new.org_id is null)", "app.inherit_org()")
      .uuid("meeting")
      .required()
      .foreign({"org_id", "meeting"}, "meetings", {"org_id", "id"});
}

Entity meetings() {
  return Entity("meetings")
      .organisation()
      .organisation_by_default("coalesce(app.org(), app.default_org())")
      .also_for("qylon_app")
      .trusted()
      .keyed({"id"})
      .uuid("id")
      .required()
      .uuid("epoch")
      .required()
      .text("title")
      .required()
      .max(500)
      .text("state")
      .required()
      .one_of({"created", "live", "ending", "ended"})
      .by_default("'created'")
      .texts("glossary")
      .required()
      .max(1000)
      .by_default("'{}'")
      .time("created_at")
      .required()
      .by_default("now()")
      .time("started_at")
      .time("ended_at")
      .uuid("created_by")
      .by_default("auth.uid()")
      .unique({"id"})
      .plain_index("newest", "created_at desc, id desc")
      .plain_index("org_newest", "org_id, created_at desc, id desc");
}

Entity tracks() {
  return of_meeting("tracks")
      .keyed({"meeting", "track"})
      .integer("track")
      .required()
      .text("label")
      .required()
      .text("speaker")
      .required()
      .text("codec")
      .required()
      .integer("sample_rate_hz")
      .required()
      .integer("channels")
      .required()
      .uuid("clock_id")
      .required()
      .big_integer("anchor_ms")
      .required()
      .check("track_range", "track between 0 and 65535");
}

Entity utterances() {
  return of_meeting("utterances")
      .trusted()
      .keyed({"meeting", "caption_offset"})
      .big_integer("caption_offset")
      .required()
      .big_integer("segment")
      .required()
      .integer("revision")
      .required()
      .integer("track")
      .required()
      .big_integer("start_ms")
      .required()
      .big_integer("end_ms")
      .required()
      .text("speaker_key")
      .required()
      .real("speaker_confidence")
      .required()
      .text("text")
      .required()
      .real("confidence")
      .required()
      .text("language")
      .required()
      .text("engine")
      .required()
      .document("words")
      .bytes("change")
      .text("label_key")
      .real("label_confidence")
      .text("label_provenance")
      .one_of({"track", "cluster", "enrolled", "manual"})
      .search("search",
              "to_tsvector(case when language like 'en%' then 'english'::regconfig"
              " else 'simple'::regconfig end, text)")
      .unique({"meeting", "caption_offset"})
      .check("caption_offset_range", "caption_offset > 0");
}

/// Words that the release before wrote; utterances have their own.
Entity words() {
  return Entity("words")
      .organisation()
      .organisation_by_default("")
      .written_by_server()
      .also_for("qylon_app")
      .trigger("inherit", "before insert when (new.org_id is null)", "app.inherit_org()")
      .keyed({"meeting", "caption_offset", "position"})
      .uuid("meeting")
      .required()
      .big_integer("caption_offset")
      .required()
      .integer("position")
      .required()
      .text("text")
      .required()
      .big_integer("start_ms")
      .required()
      .big_integer("end_ms")
      .required()
      .real("confidence")
      .required()
      .foreign({"org_id", "meeting", "caption_offset"},
               "utterances",
               {"org_id", "meeting", "caption_offset"});
}

HttpResponse participants(const Call& call, storage::Session& session) {
  return sql_answer_about(
      call,
      session,
      "meetings",
      {"select jsonb_build_object('items', (select coalesce(jsonb_agg(jsonb_build_object("
       "  'key', p.key, 'name', p.name, 'joined_at', p.joined_at) order by p.joined_at, p.key),"
       "  '[]') from participants p where p.meeting = m.id))::text"
       " from meetings m where m.id = $1::uuid",
       {}});
}

/// A whole number of the query from 0 on; nothing when it is not there, -1 when it is wrong.
std::optional<std::int64_t> number_of(const Call& call, std::string_view name) {
  const std::string_view text = call.request.query_value(name);
  if (text.empty()) return std::nullopt;
  std::int64_t number = -1;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && at == end && number >= 0 ? number : -1;
}

/// With the speakers that hold now, as an export has them.
HttpResponse transcriptions(const Call& call, storage::Session& session) {
  const std::int64_t limit = number_of(call, "limit").value_or(100);
  const std::int64_t after = number_of(call, "after").value_or(0);
  if (limit < 1 || limit > 1000 || after < 0)
    return problem({ErrorCode::kInvalidArgument,
                    "limit must be from 1 to 1000, after the `next` of an earlier answer"});
  return sql_answer_about(
      call,
      session,
      "meetings",
      {"select (select jsonb_build_object('items', coalesce(jsonb_agg(to_jsonb(t) - 'meeting_id'"
       "   order by t.caption_offset), '[]'),"
       "  'next', case when count(*) = $3::integer then max(t.caption_offset) end)"
       " from (select * from transcriptions where meeting_id = m.id and caption_offset > $2::bigint"
       "  order by caption_offset limit $3::integer) t)::text"
       " from meetings m where m.id = $1::uuid",
       {std::to_string(after), std::to_string(limit)}});
}

std::vector<Operation> routes() {
  return {
      {.method = "GET",
       .path = "/api/meetings/{id}/participants",
       .summary = "Who takes part in a meeting.",
       .permission = Permission::kRead,
       .handler = participants},
      {.method = "GET",
       .path = "/api/meetings/{id}/transcriptions",
       .summary = "What was said, utterance by utterance, page by page; during the meeting too.",
       .permission = Permission::kRead,
       .query = Entity("").integer("after").integer("limit").fields(),
       .handler = transcriptions}};
}

}  // namespace

Domain meetings_domain() {
  Domain domain{
      .name = "meetings", .operations = routes(), .events = {"meeting.recording_deleted"}};
  domain.entities.push_back(meetings());
  domain.entities.push_back(of_meeting("participants")
                                .keyed({"meeting", "key"})
                                .text("key")
                                .required()
                                .text("name")
                                .required()
                                .time("joined_at")
                                .required()
                                .by_default("now()"));
  domain.entities.push_back(tracks());
  domain.entities.push_back(of_meeting("speakers")
                                .trusted()
                                .keyed({"meeting", "key"})
                                .text("key")
                                .required()
                                .text("name")
                                .required()
                                .text("provenance")
                                .required()
                                .one_of({"track", "cluster", "enrolled", "manual"})
                                .text("merged_into"));
  domain.entities.push_back(utterances());
  domain.entities.push_back(words());
  domain.entities.push_back(of_meeting("voices")
                                .keyed({"meeting", "key"})
                                .text("key")
                                .required()
                                .text("model")
                                .required()
                                .bytes("centroid")
                                .required()
                                .real("weight")
                                .required());
  return domain;
}

}  // namespace qylon::api
