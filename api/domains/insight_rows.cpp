#include "api/domains/insight_rows.hpp"

#include <charconv>

#include <nlohmann/json.hpp>

#include "api/insight/due_date.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::json;
using storage::Sql;

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

void store_reading(Sql& sql,
                   const std::string& meeting,
                   const std::string& found,
                   const std::string& engine) {
  sql.run(
      "insert into meeting_insights (org_id, meeting_id, summary, decisions, speakers, sentiments,"
      "  keywords, sentiment, words, engine) select m.org_id, m.id, i.summary, i.decisions,"
      "  i.speakers, i.sentiments, i.keywords, i.sentiment, i.words, $3"
      " from meetings m, jsonb_populate_record(null::meeting_insights, $2::jsonb) i"
      " where m.id = $1"
      " on conflict (meeting_id) do update set summary = excluded.summary,"
      "  decisions = excluded.decisions, speakers = excluded.speakers,"
      "  sentiments = excluded.sentiments, keywords = excluded.keywords,"
      "  sentiment = excluded.sentiment, words = excluded.words, engine = excluded.engine,"
      "  made_at = now()",
      {meeting, found, engine});
}

}  // namespace

Result<MeetingWords> read_meeting_words(Sql& sql, const std::string& payload) {
  const auto found = sql.rows(
      "select id, org_id, extract(year from d)::integer, extract(month from d)::integer,"
      "  extract(day from d)::integer"
      " from meetings m, lateral (select coalesce(started_at, created_at) at time zone 'UTC') t (d)"
      " where id = ($1::jsonb ->> 'meeting')::uuid",
      {payload});
  if (found.empty()) return Error{ErrorCode::kNotFound, "there is no such meeting"};
  const storage::SqlRow& row = found.front();
  MeetingWords words;
  words.meeting = row[0].value_or("");
  words.org = row[1].value_or("");
  words.said_on = {std::chrono::year(static_cast<int>(number(row[2]))),
                   std::chrono::month(static_cast<unsigned>(number(row[3]))),
                   std::chrono::day(static_cast<unsigned>(number(row[4])))};
  words.lines = lines_of(sql, words.meeting);
  return words;
}

void store_insights(Sql& sql,
                    const MeetingWords& words,
                    const MeetingInsights& found,
                    const std::string& engine) {
  store_items(sql, words.meeting, dump(items_json(found, words.lines)));
  store_reading(sql, words.meeting, dump(insights_json(found)), engine);
}

}  // namespace qylon::api
