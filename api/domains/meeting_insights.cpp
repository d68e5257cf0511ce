/// What was said in meetings, found again: action items, moods, summaries, and a search over all of
/// it. Read when a meeting ends; the kernels are api/insight's.

#include "api/insight/meeting_insights.hpp"

#include <charconv>
#include <string_view>

#include "api/core/job_store.hpp"
#include "api/core/sql_answer.hpp"
#include "api/core/validate.hpp"
#include "api/domains/domains.hpp"
#include "api/domains/insight_rows.hpp"
#include "api/domains/model_insights.hpp"
#include "api/http_answers.hpp"

namespace qylon::api {
namespace {

using storage::Sql;

HttpResponse status(const Call& call, storage::Session& session);
HttpResponse insights(const Call& call, storage::Session& session);
HttpResponse read_again(const Call& call, storage::Session& session);
HttpResponse search(const Call& call, storage::Session& session);
Status make_insights(Sql& sql, const Job& job, bool model);

// --- Entities ---

/// What the server found is where its caption says; what people add has none.
Entity action_items() {
  return Entity("meeting_action_items")
      .organisation()
      .emits("meeting_action_item")
      .reference("meeting_id", "meetings")
      .required()
      .text("text")
      .required()
      .max(4000)
      .text("assignee")
      .max(200)
      .date("due_on")
      .text("status")
      .required()
      .one_of({"open", "done", "dismissed"})
      .by_default("'open'")
      .text("origin")
      .required()
      .read_only()
      .one_of({"person", "transcript"})
      .by_default("'person'")
      .big_integer("caption_offset")
      .read_only()
      .integer("number")
      .read_only()
      .big_integer("start_ms")
      .read_only()
      .real("confidence")
      .read_only()
      .index({"status", "due_on"})
      .unique({"meeting_id", "caption_offset", "number"});
}

Entity meeting_insights() {
  return Entity("meeting_insights")
      .organisation()
      .organisation_by_default("")
      .written_by_server()
      .keyed({"meeting_id"})
      .uuid("meeting_id")
      .required()
      .foreign({"org_id", "meeting_id"}, "meetings", {"org_id", "id"})
      .document("summary")
      .required()
      .document("decisions")
      .required()
      .document("speakers")
      .required()
      .document("sentiments")
      .required()
      .texts("keywords")
      .required()
      .real("sentiment")
      .required()
      .integer("words")
      .required()
      .text("engine")
      .required()
      .time("made_at")
      .required()
      .by_default("now()");
}

// --- Routes ---

std::vector<Operation> routes() {
  return {{.method = "GET",
           .path = "/api/meetings/{id}/status",
           .summary = "How far a meeting is, and how much was said in it.",
           .permission = Permission::kRead,
           .handler = status},
          {.method = "GET",
           .path = "/api/meetings/{id}/insights",
           .summary = "A meeting's summary, decisions, keywords, moods and speakers.",
           .permission = Permission::kRead,
           .handler = insights},
          {.method = "POST",
           .path = "/api/meetings/{id}/insights",
           .summary = "Reads an ended meeting again, after corrections.",
           .status = 202,
           .handler = read_again},
          {.method = "GET",
           .path = "/api/search",
           .summary = "Utterances of every meeting that hold the words, the best first.",
           .permission = Permission::kRead,
           .query = Entity("").text("q").required().uuid("meeting").integer("limit").fields(),
           .handler = search}};
}

// --- Jobs ---

std::vector<JobKind> jobs(bool model) {
  return {{.kind = "meeting.insights",
           .run = [model](Sql& sql, const Job& job) { return make_insights(sql, job, model); }}};
}

// --- Handlers ---

HttpResponse status(const Call& call, storage::Session& session) {
  return sql_answer_about(
      call,
      session,
      "meetings",
      {"select jsonb_build_object('id', m.id, 'title', m.title, 'state', m.state,"
       " 'started_at', m.started_at, 'ended_at', m.ended_at,"
       " 'participants', (select count(*) from participants p where p.meeting = m.id),"
       " 'tracks', (select count(*) from tracks t where t.meeting = m.id),"
       " 'captions', (select count(*) from utterances u where u.meeting = m.id"
       "   and u.change is null),"
       " 'until_ms', (select coalesce(max(u.end_ms), 0) from utterances u"
       "   where u.meeting = m.id),"
       " 'action_items', (select count(*) from meeting_action_items a where a.meeting_id = m.id),"
       " 'insights', exists (select from meeting_insights i where i.meeting_id = m.id))::text"
       " from meetings m where m.id = $1::uuid",
       {}});
}

HttpResponse insights(const Call& call, storage::Session& session) {
  return sql_answer_about(
      call,
      session,
      "meeting_insights: they are made when a meeting ends",
      {"select (to_jsonb(i) || jsonb_build_object('action_items', (select coalesce(jsonb_agg("
       "  to_jsonb(a) order by a.start_ms, a.number, a.id), '[]') from meeting_action_items a"
       "  where a.meeting_id = i.meeting_id)))::text"
       " from meeting_insights i where i.meeting_id = $1::uuid",
       {}});
}

HttpResponse read_again(const Call& call, storage::Session& session) {
  return sql_answer_about(
      call,
      session,
      "meetings that have ended and that you may write about",
      {"select jsonb_build_object('job', app.enqueue('meeting.insights',"
       "  jsonb_build_object('meeting', m.id), m.org_id, dedupe => m.id::text))::text"
       " from meetings m where m.id = $1::uuid and m.state = 'ended'"
       " and (auth.role() = 'service_role' or app.can('write'))",
       {}},
      202);
}

HttpResponse search(const Call& call, storage::Session& session) {
  constexpr std::size_t kQueryBytesMax = 500;
  const auto wrong = [](const char* what) { return problem({ErrorCode::kInvalidArgument, what}); };
  const std::string words(call.request.query_value("q"));
  if (words.empty() || words.size() > kQueryBytesMax)
    return wrong("q must be words to look for, at most 500 bytes");
  const std::string_view meeting = call.request.query_value("meeting");
  if (!meeting.empty() && !is_uuid(meeting)) return wrong("meeting must be a UUID");
  const std::string_view limit = call.request.query_value("limit");
  int count = 20;
  const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), count);
  const bool whole = error == std::errc{} && end == limit.data() + limit.size();
  if (!limit.empty() && (!whole || count < 1 || count > 100))
    return wrong("limit must be a number from 1 to 100");
  const storage::SqlValue only =
      meeting.empty() ? storage::SqlValue{} : storage::SqlValue{std::string(meeting)};
  return sql_answer(call,
                    session,
                    {"select app.search_utterances($1, $2::uuid, $3::integer)::text",
                     {words, only, std::to_string(count)}},
                    "");
}

// --- The job: reads the transcript, writes what the kernels find ---

/// Told once, however often the meeting is read.
void tell(Sql& sql, const std::string& meeting) {
  sql.rows(
      "select app.append_event(e.stream, e.type, e.data, null, m.org_id) from meetings m,"
      " lateral (values ('transcript:' || m.id, 'meeting.transcribed', jsonb_build_object("
      "   'meeting', m.id, 'captions', (select count(*) from utterances u"
      "     where u.meeting = m.id and u.change is null))),"
      "  ('recording:' || m.id, 'meeting.recorded', jsonb_build_object("
      "   'meeting', m.id, 'tracks', (select count(*) from tracks t where t.meeting = m.id))))"
      " e (stream, type, data)"
      " where m.id = $1 and not exists (select from events x where x.stream = e.stream)",
      {meeting});
}

/// With `model`, a language model reads the meeting next; until then, and should it fail, this
/// holds.
Status make_insights(Sql& sql, const Job& job, bool model) {
  const auto words = read_meeting_words(sql, job.payload);
  if (!words) return words.error();
  store_insights(sql, *words, read_insights(words->lines, words->said_on), "extractive");
  tell(sql, words->meeting);
  if (model) {
    enqueue(sql,
            {.kind = std::string(kModelInsights),
             .payload = job.payload,
             .org = words->org,
             .dedupe = words->meeting,
             .attempts_max = 5});
  }
  return ok();
}

}  // namespace

Domain meeting_insights_domain(bool model) {
  return {.name = "meeting_insights",
          .entities = {action_items(), meeting_insights()},
          .operations = routes(),
          .events = {"meeting.transcribed", "meeting.recorded"},
          .jobs = jobs(model)};
}

}  // namespace qylon::api
