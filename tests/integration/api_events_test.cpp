// What happened: written with the change that made it happen, and read in order without a gap.

#include <atomic>
#include <future>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/core/event_subscriptions.hpp"
#include "core/ids.hpp"
#include "storage/sql.hpp"
#include "tests/support/polling.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

using storage::Sql;
using storage::SqlRow;
using storage::SqlValue;

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

/// A declared entity as the generated migrations make it: its changes are emitted.
class Notes final : public testing::Environment {
 public:
  void SetUp() override {
    const Status made = kDatabase->transact_as_owner([](pqxx::transaction_base& transaction) {
      Sql sql(transaction);
      sql.run(
          "create table notes (id uuid primary key, org_id uuid, body text, pin text,"
          " updated_at timestamptz default clock_timestamp())");
      sql.run("grant select, insert, update, delete on notes to service_role, authenticated");
      sql.run(
          "create trigger emit after insert or update or delete on notes for each row"
          " execute function app.emit('note', 'written', 'pin')");
      return ok();
    });
    ASSERT_TRUE(made) << made.error().message;
  }
};
const testing::Environment* const kNotes = testing::AddGlobalTestEnvironment(new Notes);

constexpr const char* kAnn = "11111111-2222-4333-8444-555555555555";
constexpr const char* kOrg = "99999999-2222-4333-8444-555555555555";

Principal ann() {
  return {.role = "authenticated",
          .user = kAnn,
          .claims = R"({"sub":"11111111-2222-4333-8444-555555555555","role":"authenticated"})"};
}

Status write(const Principal& principal,
             const std::string& statement,
             const std::vector<SqlValue>& values) {
  return kDatabase->transact_as(principal, [&](pqxx::transaction_base& transaction) {
    Sql(transaction).run(statement, values);
    return ok();
  });
}

std::vector<SqlRow> stream_of(const std::string& id) {
  return kDatabase->rows(
      "select version, type, org_id, actor, data ->> 'body', data ? 'pin' from events"
      " where stream = $1 order by version",
      {"note:" + id});
}

TEST(EmittedEvents, TellEveryChangeOfARowWithItsActorAndWithoutItsSecrets) {
  const std::string id = Uuid::random().to_string();
  ASSERT_TRUE(write(ann(),
                    "insert into notes (id, org_id, body, pin) values ($1, $2, 'one', '1234')",
                    {id, kOrg}));
  ASSERT_TRUE(write(ann(), "update notes set body = 'two' where id = $1", {id}));
  ASSERT_TRUE(write(ann(), "delete from notes where id = $1", {id}));
  EXPECT_EQ(stream_of(id),
            (std::vector<SqlRow>{{"1", "note.written", kOrg, kAnn, "one", "f"},
                                 {"2", "note.updated", kOrg, kAnn, "two", "f"},
                                 {"3", "note.deleted", kOrg, kAnn, "two", "f"}}));
}

TEST(EmittedEvents, AreNoneWhenNothingShownHasChanged) {
  const std::string id = Uuid::random().to_string();
  ASSERT_TRUE(write(ann(), "insert into notes (id, body, pin) values ($1, 'one', '1')", {id}));
  ASSERT_TRUE(write(ann(), "update notes set pin = '2', updated_at = now() where id = $1", {id}));
  EXPECT_EQ(stream_of(id).size(), 1U);
}

TEST(EmittedEvents, GoWithTheTransactionThatFails) {
  const std::string id = Uuid::random().to_string();
  const Status status =
      kDatabase->transact_as(ann(), [&](pqxx::transaction_base& transaction) -> Status {
        Sql(transaction).run("insert into notes (id, body) values ($1, 'one')", {id});
        return Error{ErrorCode::kConflict, "no"};
      });
  EXPECT_FALSE(status);
  EXPECT_TRUE(stream_of(id).empty());
}

TEST(EventTable, TakesNoChangeAndNoUser) {
  const std::string id = Uuid::random().to_string();
  ASSERT_TRUE(write(ann(), "insert into notes (id, body) values ($1, 'one')", {id}));
  for (const char* statement : {"update events set type = 'a.b' where stream = $1",
                                "delete from events where stream = $1"}) {
    for (const Principal& principal : {ann(), Principal::service()}) {
      const Status status = write(principal, statement, {"note:" + id});
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().code, ErrorCode::kForbidden);
    }
  }
  const Status seen = write(ann(), "select from events where stream = $1", {"note:" + id});
  EXPECT_FALSE(seen);
}

TEST(AppendedEvents, TakeTheVersionThatWasExpectedAndNoOther) {
  const std::string stream = "order:" + Uuid::random().to_string();
  const char* const append = "select app.append_event($1, 'order.placed', '{}', $2)";
  EXPECT_EQ(kDatabase->rows(append, {stream, "0"}), (std::vector<SqlRow>{{"1"}}));
  EXPECT_EQ(kDatabase->rows(append, {stream, "1"}), (std::vector<SqlRow>{{"2"}}));
  EXPECT_EQ(kDatabase->rows(append, {stream, std::nullopt}), (std::vector<SqlRow>{{"3"}}));
  for (const char* expected : {"0", "2", "4"}) {
    const Status status = write(Principal::service(), append, {stream, expected});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kConflict);
  }
}

/// Everything after `cursor`, which moves.
std::vector<std::string> read_types(EventCursor& cursor) {
  std::vector<std::string> types;
  EXPECT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
    Sql sql(tx);
    for (const Event& event : read_events(sql, cursor, 1000)) {
      types.push_back(event.type);
      cursor = event.cursor;
    }
    return ok();
  }));
  return types;
}

// The case that skips events in stores that order by position alone: the slow transaction has the
// lower position and commits last.
TEST(EventReaders, NeverPassATransactionThatStillRuns) {
  EventCursor cursor;
  read_types(cursor);
  std::promise<void> written;
  std::promise<void> release;
  std::promise<Status> ended;
  ASSERT_TRUE(kDatabase->pool().submit([&](storage::Session& session) {
    ended.set_value(session.transact([&](pqxx::transaction_base& tx) {
      Sql sql(tx);
      append_event(sql, {.stream = "race:slow", .type = "race.slow"});
      written.set_value();
      release.get_future().wait();
      return ok();
    }));
  }));
  written.get_future().wait();
  ASSERT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
    Sql sql(tx);
    append_event(sql, {.stream = "race:fast", .type = "race.fast"});
    return ok();
  }));
  EXPECT_TRUE(read_types(cursor).empty());
  release.set_value();
  ASSERT_TRUE(ended.get_future().get());
  EXPECT_EQ(read_types(cursor), (std::vector<std::string>{"race.slow", "race.fast"}));
}

TEST(Upcasters, BringOldEventsToTodaysShapeStepByStep) {
  Upcasters upcasters;
  upcasters.add("note.written", 1, [](const std::string& data) -> Result<std::string> {
    return data + "+2";
  });
  upcasters.add("note.written", 2, [](const std::string& data) -> Result<std::string> {
    return data + "+3";
  });
  Event event;
  event.type = "note.written";
  event.data = "1";
  const auto current = upcasters.apply(event);
  ASSERT_TRUE(current);
  EXPECT_EQ(current->data, "1+2+3");
  EXPECT_EQ(current->type_version, 3);
}

/// Counts words of notes, in the order of the events: a projection.
Subscription note_words() {
  return {.name = "note_words",
          .types = {"note.written", "note.updated"},
          .handle = [](Sql& sql, const Event& event) {
            const auto body = nlohmann::json::parse(event.data).at("body").get<std::string>();
            sql.run(
                "insert into note_words (note, trail) values ($1, $2) on conflict (note)"
                " do update set trail = note_words.trail || ' ' || excluded.trail",
                {event.stream, body});
            return ok();
          }};
}

class Subscriptions {
 public:
  Subscriptions()
      : readers_({.poll_ms = 10},
                 {.database = kDatabase->pool(), .log = log_, .counters = counters_},
                 Upcasters{}) {
    readers_.add(note_words());
    readers_.start();
  }

 private:
  SystemClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  EventSubscriptions readers_;
};

std::string trail_of(const std::string& id) {
  const auto found =
      kDatabase->rows("select trail from note_words where note = $1", {"note:" + id});
  return found.empty() ? "" : found[0][0].value();
}
std::string projection_hash() {
  return kDatabase
      ->rows("select md5(string_agg(w::text, '\n' order by note)) from note_words w")[0][0]
      .value_or("");
}

TEST(Projections, FollowTheEventsOverRestartsAndAreRebuiltByteForByte) {
  ASSERT_TRUE(kDatabase->transact_as_owner([](pqxx::transaction_base& transaction) {
    Sql sql(transaction);
    sql.run("create table note_words (note text primary key, trail text)");
    sql.run("grant select, insert, update, delete on note_words to service_role");
    return ok();
  }));
  const std::string id = Uuid::random().to_string();
  ASSERT_TRUE(write(ann(), "insert into notes (id, body) values ($1, 'one')", {id}));
  {
    const Subscriptions first;
    ASSERT_TRUE(test::poll_until([&] { return trail_of(id) == "one"; }));
  }
  ASSERT_TRUE(write(ann(), "update notes set body = 'two' where id = $1", {id}));
  const Subscriptions second;
  ASSERT_TRUE(test::poll_until([&] { return trail_of(id) == "one two"; }));
  const std::string before = projection_hash();

  ASSERT_TRUE(kDatabase->transact_as(Principal::service(), [](pqxx::transaction_base& tx) {
    Sql sql(tx);
    restart_subscription(sql, "note_words");
    sql.run("delete from note_words");
    return ok();
  }));
  EXPECT_TRUE(test::poll_until([&] { return projection_hash() == before; }));
}

TEST(Streams, AreReplayedToAVersionAndToAMoment) {
  const std::string stream = "order:" + Uuid::random().to_string();
  ASSERT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
    Sql sql(tx);
    append_event(sql, {.stream = stream, .type = "order.placed", .expected_version = 0});
    append_event(sql, {.stream = stream, .type = "order.paid"});
    EXPECT_EQ(read_stream(sql, {.stream = stream, .until_version = 1}).size(), 1U);
    EXPECT_EQ(read_stream(sql, {.stream = stream}).size(), 2U);
    EXPECT_EQ(read_stream(sql, {.stream = stream, .until_ms = 0}).size(), 0U);
    return ok();
  }));
}

// CloudEvents 1.0.2, sections 3.1 and 3.2; JSON format 1.0.2, section 3.
TEST(CloudEvents, HoldTheRequiredAttributesAndTheDataAsJson) {
  Event event;
  event.cursor.pos = 7;
  event.id = kAnn;
  event.stream = "client:1";
  event.type = "client.created";
  event.data = R"({"name":"Ann"})";
  event.time = "2026-11-21T11:00:00.000001Z";
  event.correlation = kOrg;
  const auto text = cloud_event_json(event, "/qylon");
  ASSERT_TRUE(text);
  EXPECT_EQ(nlohmann::json::parse(*text),
            nlohmann::json::parse(R"({"specversion":"1.0","id":")" + std::string(kAnn) +
                                  R"(","source":"/qylon","type":"client.created",)"
                                  R"("subject":"client:1","time":"2026-11-21T11:00:00.000001Z",)"
                                  R"("datacontenttype":"application/json","sequence":"7",)"
                                  R"("partitionkey":"client:1","correlationid":")" +
                                  kOrg + R"(","data":{"name":"Ann"}})"));
  event.data = "{";
  EXPECT_FALSE(cloud_event_json(event, "/qylon"));
}

}  // namespace
}  // namespace qylon::api
