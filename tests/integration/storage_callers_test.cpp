// Who a transaction works as, and what statements over text parameters say.

#include <gtest/gtest.h>

#include "storage/sql.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::storage {
namespace {

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

constexpr const char* kAnn = "11111111-2222-4333-8444-555555555555";

Principal ann() {
  return {.role = "authenticated",
          .user = kAnn,
          .claims = R"({"sub":"11111111-2222-4333-8444-555555555555","role":"authenticated",)"
                    R"("email":"ann@example.org"})"};
}

SqlRow one_row(const Principal& principal,
               const std::string& statement,
               const std::vector<SqlValue>& values = {}) {
  SqlRow row;
  const Status status = kDatabase->transact_as(principal, [&](pqxx::transaction_base& transaction) {
    row = Sql(transaction).rows(statement, values).at(0);
    return ok();
  });
  EXPECT_TRUE(status) << status.error().message;
  return row;
}

TEST(Callers, AreSeenByTheDatabaseAsTheirClaimsSay) {
  EXPECT_EQ(one_row(ann(), "select current_user, auth.uid(), auth.email(), auth.role()"),
            (SqlRow{"authenticated", kAnn, "ann@example.org", "authenticated"}));
  EXPECT_EQ(one_row(Principal{}, "select current_user, auth.uid()"), (SqlRow{"anon", {}}));
  EXPECT_EQ(one_row(Principal::service(), "select current_user"), (SqlRow{"service_role"}));
}

TEST(Callers, LeaveNothingToTheNextTransactionOfTheirConnection) {
  std::vector<SqlRow> seen;
  const Status status = kDatabase->run<Status>([&](Session& session) {
    const auto look = [&](pqxx::transaction_base& transaction) {
      seen.push_back(Sql(transaction).rows("select current_user, auth.uid()").at(0));
      return ok();
    };
    const Status first = session.transact_as(ann(), look);
    return first ? session.transact_as(Principal{}, look) : first;
  });
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(seen, (std::vector<SqlRow>{{"authenticated", kAnn}, {"anon", {}}}));
}

TEST(Callers, ReachNoTableThatWasNotGrantedToThem) {
  for (const Principal& principal : {ann(), Principal{}}) {
    const Status status = kDatabase->transact_as(principal, [](pqxx::transaction_base& tx) {
      Sql(tx).rows("select from schema_migrations");
      return ok();
    });
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kForbidden);
  }
}

TEST(Sql, TellsNullFromEmpty) {
  EXPECT_EQ(one_row(ann(), "select $1::text, $2::text", {{}, ""}), (SqlRow{{}, ""}));
}

TEST(Sql, RefusesATextThatPostgreSqlWouldCut) {
  const Status status = kDatabase->transact_as(ann(), [](pqxx::transaction_base& transaction) {
    Sql(transaction).value("select $1::text", {std::string("a\0b", 3)});
    return ok();
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
}

TEST(Sql, CountsTheRowsThatAStatementChanged) {
  const Status status =
      kDatabase->transact_as(Principal::service(), [](pqxx::transaction_base& transaction) {
        Sql sql(transaction);
        EXPECT_EQ(sql.run("update meetings set title = title where id = $1::uuid", {kAnn}), 0U);
        EXPECT_EQ(sql.value("select id from meetings where id = $1::uuid", {kAnn}), std::nullopt);
        return ok();
      });
  EXPECT_TRUE(status) << status.error().message;
}

}  // namespace
}  // namespace qylon::storage
