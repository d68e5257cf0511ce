/// What was said in meetings, found again: action items, moods, summaries, and a search over all of
/// it. Read when a meeting ends; the kernels are api/insight's.

#include "api/insight/meeting_insights.hpp"

#include <charconv>
#include <chrono>
#include <string_view>

#include <nlohmann/json.hpp>

#include "api/core/job_store.hpp"
#include "api/core/sql_answer.hpp"
#include "api/core/validate.hpp"
#include "api/domains/domains.hpp"
#include "api/http_answers.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::json;
using storage::Sql;

HttpResponse status(const Call& call, storage::Session& session);
HttpResponse insights(const Call& call, storage::Session& session);
HttpResponse read_again(const Call& call, storage::Session& session);
HttpResponse search(const Call& call, storage::Session& session);
Status make_insights(Sql& sql, const Job& job);

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

std::vector<JobKind> jobs() {
  return {{.kind = "meeting.insights", .run = make_insights}};
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

std::int64_t number(const storage::SqlValue& value) {
  std::int64_t result = 0;
  if (value) std::from_chars(value->data(), value->data() + value->size(), result);
  return result;
}

/// With the speakers that hold now.
std::vector<SpokenLine> lines_of(Sql& sql, const std::string& meeting) {
  std::vector<SpokenLine> lines;
  for (const storage::SqlRow& row :
       sql.rows("select u.caption_offset, u.start_ms, u.end_ms, coalesce(s.name, ''), u.text"
                " from utterances u left join speakers s on s.meeting = u.meeting"
                "  and s.key = coalesce(u.label_key, u.speaker_key)"
                " where u.meeting = $1 and u.change is null order by u.start_ms, u.caption_offset"
                " limit $2",
                {meeting, std::to_string(kSentencesMax)}))
    lines.push_back(
        {number(row[0]), number(row[1]), number(row[2]), row[3].value_or(""), row[4].value_or("")});
  return lines;
}

std::string day_text(std::chrono::year_month_day day) {
  const auto digits = [](unsigned value, std::size_t width) {
    const std::string text = std::to_string(value);
    return std::string(width > text.size() ? width - text.size() : 0, '0') + text;
  };
  return digits(static_cast<unsigned>(static_cast<int>(day.year())), 4) + "-" +
         digits(static_cast<unsigned>(day.month()), 2) + "-" +
         digits(static_cast<unsigned>(day.day()), 2);
}

Json quotes_json(const std::vector<Quote>& quotes) {
  Json json = Json::array();
  for (const Quote& quote : quotes)
    json.push_back({{"offset", quote.offset},
                    {"start_ms", quote.start_ms},
                    {"speaker", quote.speaker},
                    {"text", quote.text}});
  return json;
}

Json insights_json(const MeetingInsights& found) {
  Json speakers = Json::array();
  for (const SpeakerInsight& speaker : found.speakers)
    speakers.push_back({{"name", speaker.name},
                        {"talk_ms", speaker.talk_ms},
                        {"words", speaker.words},
                        {"questions", speaker.questions},
                        {"sentiment", speaker.sentiment}});
  Json sentiments = Json::array();
  for (const SentimentPart& part : found.sentiments)
    sentiments.push_back(
        {{"start_ms", part.start_ms}, {"end_ms", part.end_ms}, {"sentiment", part.sentiment}});
  return {{"summary", quotes_json(found.summary)},
          {"decisions", quotes_json(found.decisions)},
          {"speakers", std::move(speakers)},
          {"sentiments", std::move(sentiments)},
          {"keywords", found.keywords},
          {"sentiment", found.sentiment},
          {"words", found.words}};
}

Json items_json(const MeetingInsights& found, const std::vector<SpokenLine>& lines) {
  Json items = Json::array();
  for (const ActionItem& item : found.action_items)
    items.push_back({{"text", item.text},
                     {"assignee", item.assignee.empty() ? Json() : Json(item.assignee)},
                     {"due_on", item.due ? Json(day_text(*item.due)) : Json()},
                     {"caption_offset", lines[item.line].offset},
                     {"number", item.number},
                     {"start_ms", lines[item.line].start_ms},
                     {"confidence", item.confidence}});
  return items;
}

/// Text from a recogniser may be cut inside a character.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Items that nobody has touched are found anew; the others stay as people left them.
void store_items(Sql& sql, const std::string& meeting, const std::string& items) {
  sql.run(
      "delete from meeting_action_items where meeting_id = $1 and origin = 'transcript'"
      " and updated_at = created_at",
      {meeting});
  sql.run(
      "insert into meeting_action_items (org_id, meeting_id, origin, text, assignee, due_on,"
      "  caption_offset, number, start_ms, confidence)"
      " select m.org_id, m.id, 'transcript', left(i.text, 4000), left(i.assignee, 200), i.due_on,"
      "  i.caption_offset, i.number, i.start_ms, i.confidence"
      " from meetings m, jsonb_populate_recordset(null::meeting_action_items, $2::jsonb) i"
      " where m.id = $1 on conflict do nothing",
      {meeting, items});
}

void store_insights(Sql& sql, const std::string& meeting, const std::string& found) {
  sql.run(
      "insert into meeting_insights (org_id, meeting_id, summary, decisions, speakers, sentiments,"
      "  keywords, sentiment, words, engine) select m.org_id, m.id, i.summary, i.decisions,"
      "  i.speakers, i.sentiments, i.keywords, i.sentiment, i.words, 'extractive'"
      " from meetings m, jsonb_populate_record(null::meeting_insights, $2::jsonb) i"
      " where m.id = $1"
      " on conflict (meeting_id) do update set summary = excluded.summary,"
      "  decisions = excluded.decisions, speakers = excluded.speakers,"
      "  sentiments = excluded.sentiments, keywords = excluded.keywords,"
      "  sentiment = excluded.sentiment, words = excluded.words, engine = excluded.engine,"
      "  made_at = now()",
      {meeting, found});
}

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

Status make_insights(Sql& sql, const Job& job) {
  const auto found = sql.rows(
      "select id, extract(year from d)::integer, extract(month from d)::integer,"
      "  extract(day from d)::integer"
      " from meetings m, lateral (select coalesce(started_at, created_at) at time zone 'UTC') t (d)"
      " where id = ($1::jsonb ->> 'meeting')::uuid",
      {job.payload});
  if (found.empty()) return Error{ErrorCode::kNotFound, "there is no such meeting"};
  const storage::SqlRow& row = found.front();
  const std::string meeting = row[0].value_or("");
  const std::chrono::year_month_day said_on{
      std::chrono::year(static_cast<int>(number(row[1]))),
      std::chrono::month(static_cast<unsigned>(number(row[2]))),
      std::chrono::day(static_cast<unsigned>(number(row[3])))};
  const std::vector<SpokenLine> lines = lines_of(sql, meeting);
  const MeetingInsights insight = read_insights(lines, said_on);
  store_items(sql, meeting, dump(items_json(insight, lines)));
  store_insights(sql, meeting, dump(insights_json(insight)));
  tell(sql, meeting);
  return ok();
}

}  // namespace

Domain meeting_insights_domain() {
  return {.name = "meeting_insights",
          .entities = {action_items(), meeting_insights()},
          .operations = routes(),
          .events = {"meeting.transcribed", "meeting.recorded"},
          .jobs = jobs()};
}

}  // namespace qylon::api
