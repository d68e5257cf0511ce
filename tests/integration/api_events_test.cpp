// What happened: written with the change that made it happen, and read in order without a gap.

#include <gtest/gtest.h>

#include "core/ids.hpp"
#include "storage/sql.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

using storage::Sql;
using storage::SqlRow;
using storage::SqlValue;

const test::TestDatabase* const kDatabase =
    static_cast<test::TestDatabase*>(testing::AddGlobalTestEnvironment(new test::TestDatabase));

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

std::vector<SqlRow> rows(const std::string& statement, const std::vector<SqlValue>& values = {}) {
  std::vector<SqlRow> found;
  const Status status =
      kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
        found = Sql(transaction).rows(statement, values);
        return ok();
      });
  EXPECT_TRUE(status) << status.error().message;
  return found;
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
  return rows(
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
  EXPECT_EQ(rows(append, {stream, "0"}), (std::vector<SqlRow>{{"1"}}));
  EXPECT_EQ(rows(append, {stream, "1"}), (std::vector<SqlRow>{{"2"}}));
  EXPECT_EQ(rows(append, {stream, std::nullopt}), (std::vector<SqlRow>{{"3"}}));
  for (const char* expected : {"0", "2", "4"}) {
    const Status status = write(Principal::service(), append, {stream, expected});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kConflict);
  }
}

}  // namespace
}  // namespace qylon::api
