// The audit log: what an owner of the database changes in it is found.

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "api/core/audit.hpp"
#include "core/ids.hpp"
#include "storage/sql.hpp"
#include "tests/support/polling.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

using storage::Sql;

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

/// A log of its own for each test: two organisations with ten rows each.
class AuditLog : public testing::Test {
 protected:
  void SetUp() override {
    change("truncate audit_log, audit_heads, audit_checkpoints");
    trail_.emplace(*AuditTrail::open(directory_.path(), master_));
    for (int i = 0; i < 10; ++i) {
      for (const std::string& org : {first_, second_})
        ASSERT_TRUE(add(Principal::service(), org, "thing.done"));
    }
  }

  static Status add(const Principal& principal, const std::string& org, const std::string& action) {
    return kDatabase->transact_as(principal, [&](pqxx::transaction_base& tx) {
      Sql sql(tx);
      audit(sql, {.org = org, .action = action, .subject = "thing:1", .detail = R"({"a":1})"});
      return ok();
    });
  }
  /// What only the owner of the tables can do, and only on purpose.
  static void change(const std::string& statement) {
    const Status done = kDatabase->transact_as_owner([&](pqxx::transaction_base& tx) {
      Sql sql(tx);
      for (const char* table : {"audit_log", "audit_checkpoints"})
        sql.run("alter table " + std::string(table) + " disable trigger user");
      sql.run(statement);
      for (const char* table : {"audit_log", "audit_checkpoints"})
        sql.run("alter table " + std::string(table) + " enable trigger user");
      return ok();
    });
    ASSERT_TRUE(done) << done.error().message;
  }
  void checkpoint() const {
    const Status done =
        kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
          Sql sql(tx);
          return trail_->checkpoint(sql, 1'795'300'000);
        });
    ASSERT_TRUE(done) << done.error().message;
  }
  AuditTrail::Report verify(const AuditTrail& trail) const {
    AuditTrail::Report report;
    const Status done =
        kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
          Sql sql(tx);
          report = *trail.verify(sql);
          return ok();
        });
    EXPECT_TRUE(done) << done.error().message;
    return report;
  }
  std::vector<std::string> problems() const { return verify(*trail_).problems; }
  std::string row(const std::string& org, int seq) const {
    return "organisation " + org + ", row " + std::to_string(seq) + ": ";
  }

  const test::TemporaryDirectory directory_;
  const SealKey key_ = SealKey::random();
  const MasterKeys master_{{key_}};
  const std::string first_ = "11111111-0000-4000-8000-000000000001";
  const std::string second_ = "22222222-0000-4000-8000-000000000002";
  std::optional<AuditTrail> trail_;
};

TEST_F(AuditLog, ThatNobodyChangedHasNoProblems) {
  checkpoint();
  ASSERT_TRUE(add(Principal::service(), "", "server.started"));
  checkpoint();
  const auto report = verify(*trail_);
  EXPECT_TRUE(report.problems.empty()) << report.problems[0];
  EXPECT_EQ(report.rows, 21U);
  EXPECT_EQ(report.chains, 3U);
  EXPECT_EQ(report.checkpoints, 3U);
}

TEST_F(AuditLog, CannotBeChangedByTheServer) {
  for (const char* statement :
       {"update audit_log set action = 'x'", "delete from audit_log", "truncate audit_log"}) {
    const Status done =
        kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
          Sql(tx).run(statement);
          return ok();
        });
    ASSERT_FALSE(done) << statement;
    EXPECT_EQ(done.error().code, ErrorCode::kForbidden);
  }
}

TEST_F(AuditLog, TakesNoEntryForAnOrganisationThatIsNotTheCallers) {
  const Principal ann{.role = "authenticated",
                      .user = "33333333-2222-4333-8444-555555555555",
                      .claims = R"({"sub":"33333333-2222-4333-8444-555555555555"})"};
  for (const std::string& org : {first_, std::string()}) {
    const Status done = add(ann, org, "thing.forged");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kForbidden);
  }
}

TEST_F(AuditLog, ShowsAnEditedRow) {
  change("update audit_log set detail = '{\"a\":2}' where seq = 7 and org_id = '" + first_ + "'");
  EXPECT_EQ(problems(), (std::vector<std::string>{row(first_, 7) + "it was edited"}));
}

TEST_F(AuditLog, ShowsADeletedRow) {
  change("delete from audit_log where seq = 4 and org_id = '" + second_ + "'");
  EXPECT_EQ(problems(), (std::vector<std::string>{row(second_, 5) + "rows before it are gone"}));
}

TEST_F(AuditLog, ShowsAnEndThatWasCutOffAlsoWhenItsHeadWasPutBack) {
  checkpoint();
  change("delete from audit_log where seq > 8 and org_id = '" + first_ + "'");
  EXPECT_EQ(problems().size(), 2U);
  change("update audit_heads set seq = 8, hash = (select hash from audit_log where org_id = '" +
         first_ + "' and seq = 8) where org_id = '" + first_ + "'");
  const std::string cut = row(first_, 10) + "it was signed and is gone; the end was cut off";
  EXPECT_EQ(problems(), (std::vector<std::string>{cut}));
  change("delete from audit_checkpoints");
  EXPECT_EQ(problems(), (std::vector<std::string>{cut})) << "the file still knows";
}

TEST_F(AuditLog, ShowsAChainThatWasWrittenAnew) {
  checkpoint();
  change("delete from audit_log where org_id = '" + first_ + "'");
  change("delete from audit_heads where org_id = '" + first_ + "'");
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(add(Principal::service(), first_, "thing.invented"));
  EXPECT_EQ(problems(), (std::vector<std::string>{row(first_, 10) + "it is not what was signed"}));
}

TEST_F(AuditLog, ShowsACheckpointThatIsNotOurs) {
  checkpoint();
  const test::TemporaryDirectory elsewhere;
  const auto other = AuditTrail::open(elsewhere.path(), master_);
  ASSERT_TRUE(other);
  EXPECT_EQ(verify(*other).problems.size(), 2U);
}

TEST_F(AuditLog, IsSignedByTheSameKeyAfterARestartAndOnlyWithItsMasterKey) {
  checkpoint();
  const auto again = AuditTrail::open(directory_.path(), master_);
  ASSERT_TRUE(again);
  EXPECT_TRUE(verify(*again).problems.empty());
  const SealKey fresh = SealKey::random();
  ASSERT_TRUE(AuditTrail::open(directory_.path(), MasterKeys({fresh, key_})));
  const auto rotated = AuditTrail::open(directory_.path(), MasterKeys({fresh}));
  ASSERT_TRUE(rotated) << "it was sealed anew";
  EXPECT_TRUE(verify(*rotated).problems.empty());
  const auto stranger = AuditTrail::open(directory_.path(), MasterKeys({SealKey::random()}));
  ASSERT_FALSE(stranger);
  EXPECT_EQ(stranger.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(AuditLog, GoesOnAfterATornLineInTheFile) {
  checkpoint();
  std::ofstream(directory_.path() + "/audit-checkpoints", std::ios::app) << "qylon-audit-1 1111";
  ASSERT_TRUE(add(Principal::service(), first_, "thing.done"));
  checkpoint();
  change("delete from audit_checkpoints");
  const auto report = verify(*trail_);
  EXPECT_TRUE(report.problems.empty()) << report.problems[0];
  EXPECT_EQ(report.checkpoints, 3U);
}

TEST_F(AuditLog, FollowsTheEvents) {
  SystemClock clock;
  const Log log(clock, LogLevel::kError);
  Counters counters;
  EventSubscriptions readers(
      {.poll_ms = 10}, {.database = kDatabase->pool(), .log = log, .counters = counters}, {});
  readers.add(audit_of_events());
  ASSERT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
    Sql sql(tx);
    append_event(sql, {.stream = "client:9", .type = "client.created", .org = first_});
    return ok();
  }));
  readers.start();
  EXPECT_TRUE(test::poll_until([&] {
    bool found = false;
    EXPECT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
      found = Sql(tx)
                  .value(
                      "select seq from audit_log where action = 'client.created'"
                      " and subject = 'client:9' and detail ->> 'version' = '1'")
                  .has_value();
      return ok();
    }));
    return found;
  }));
  EXPECT_TRUE(problems().empty());
}

}  // namespace
}  // namespace qylon::api
