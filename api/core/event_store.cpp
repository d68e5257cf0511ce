#include "api/core/event_store.hpp"

#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

namespace qylon::api {
namespace {

using storage::Sql;
using storage::SqlRow;
using storage::SqlValue;

constexpr std::string_view kSelect =
    "select tx, pos, id, org_id, stream, version, type, type_version, data, actor, traceparent,"
    " causation, correlation,"
    " to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') from events";

std::int64_t number(const SqlValue& value) {
  std::int64_t result = 0;
  if (value) std::from_chars(value->data(), value->data() + value->size(), result);
  return result;
}
SqlValue optional_number(const std::optional<std::int64_t>& value) {
  return value ? SqlValue{std::to_string(*value)} : SqlValue{};
}

Event event_of(const SqlRow& row) {
  const auto text = [&row](std::size_t column) { return row[column].value_or(""); };
  return {.cursor = {.tx = text(0), .pos = number(row[1])},
          .id = text(2),
          .org = text(3),
          .stream = text(4),
          .version = number(row[5]),
          .type = text(6),
          .type_version = static_cast<int>(number(row[7])),
          .data = text(8),
          .actor = text(9),
          .traceparent = text(10),
          .causation = text(11),
          .correlation = text(12),
          .time = text(13)};
}

std::vector<Event> events_of(const std::vector<SqlRow>& rows) {
  std::vector<Event> events;
  events.reserve(rows.size());
  for (const SqlRow& row : rows)
    events.push_back(event_of(row));
  return events;
}

}  // namespace

std::int64_t append_event(Sql& sql, const NewEvent& event) {
  return number(
      sql.value("select app.append_event($1, $2, $3::jsonb, $4::bigint, $5::uuid, $6::integer)",
                {event.stream,
                 event.type,
                 event.data,
                 optional_number(event.expected_version),
                 event.org.empty() ? SqlValue{} : SqlValue{event.org},
                 std::to_string(event.type_version)}));
}

void Upcasters::add(const std::string& type, int from_version, Upcast upcast) {
  upcasts_[{type, from_version}] = std::move(upcast);
}

Result<Event> Upcasters::apply(Event event) const {
  while (true) {
    const auto found = upcasts_.find({event.type, event.type_version});
    if (found == upcasts_.end()) return event;
    auto data = found->second(event.data);
    if (!data) return data.error();
    event.data = *std::move(data);
    ++event.type_version;
  }
}

std::vector<Event> read_events(Sql& sql, const EventCursor& after, std::size_t limit) {
  return events_of(
      sql.rows(std::string(kSelect) +
                   " where (tx, pos) > ($1::xid8, $2::bigint)"
                   " and tx < pg_snapshot_xmin(pg_current_snapshot()) order by tx, pos limit $3",
               {after.tx, std::to_string(after.pos), std::to_string(limit)}));
}

std::vector<Event> read_stream(Sql& sql, const StreamPart& part) {
  return events_of(
      sql.rows(std::string(kSelect) +
                   " where stream = $1 and ($2::bigint is null or version <= $2::bigint)"
                   " and ($3::bigint is null or created_at <= to_timestamp($3::bigint / 1000.0))"
                   " order by version",
               {part.stream, optional_number(part.until_version), optional_number(part.until_ms)}));
}

bool has_news(Sql& sql, const std::string& name) {
  return sql.value(
             "select exists (select from events where tx < pg_snapshot_xmin(pg_current_snapshot())"
             " and (tx, pos) >"
             " (coalesce((select tx from event_checkpoints where reader = $1), '0'::xid8),"
             " coalesce((select pos from event_checkpoints where reader = $1), 0)))",
             {name}) == "t";
}

std::optional<EventCursor> lock_checkpoint(Sql& sql, const std::string& name) {
  sql.run("insert into event_checkpoints (reader) values ($1) on conflict do nothing", {name});
  const auto found = sql.rows(
      "select tx, pos from event_checkpoints where reader = $1 for update skip locked", {name});
  if (found.empty()) return std::nullopt;
  return EventCursor{.tx = found[0][0].value_or("0"), .pos = number(found[0][1])};
}

void move_checkpoint(Sql& sql, const std::string& name, const EventCursor& cursor) {
  sql.run(
      "update event_checkpoints set tx = $2::xid8, pos = $3, updated_at = clock_timestamp()"
      " where reader = $1",
      {name, cursor.tx, std::to_string(cursor.pos)});
}

void set_cause(Sql& sql, const Event& event) {
  sql.rows(
      "select set_config('app.causation', $1, true), set_config('app.correlation', $2, true),"
      " set_config('request.traceparent', $3, true)",
      {event.id, event.correlation.empty() ? event.id : event.correlation, event.traceparent});
}

Result<std::string> cloud_event_json(const Event& event, const std::string& source) {
  nlohmann::json data = nlohmann::json::parse(event.data, nullptr, false);
  if (data.is_discarded())
    return Error{ErrorCode::kInvalidArgument, "an event's data must be JSON"};
  nlohmann::json envelope{{"specversion", "1.0"},
                          {"id", event.id},
                          {"source", source},
                          {"type", event.type},
                          {"subject", event.stream},
                          {"time", event.time},
                          {"datacontenttype", "application/json"},
                          {"sequence", std::to_string(event.cursor.pos)},
                          {"partitionkey", event.stream},
                          {"data", std::move(data)}};
  const std::pair<const char*, const std::string*> optional[] = {
      {"traceparent", &event.traceparent},
      {"correlationid", &event.correlation},
      {"causationid", &event.causation}};
  for (const auto& [name, value] : optional) {
    if (!value->empty()) envelope[name] = *value;
  }
  return envelope.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace qylon::api
