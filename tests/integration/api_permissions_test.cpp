// Which organisation a request works in, and what the caller's role and key allow there.

#include <gtest/gtest.h>

#include "core/ids.hpp"
#include "storage/sql.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

using storage::Sql;
using storage::SqlRow;

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

constexpr const char* kHome = "aaaaaaaa-0000-4000-8000-000000000001";
constexpr const char* kOther = "bbbbbbbb-0000-4000-8000-000000000001";

/// A user of organisation kHome with the given role; made anew for each test.
class Permissions : public testing::Test {
 protected:
  Permissions() {
    const Status made =
        kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
          Sql sql(transaction);
          sql.run("delete from orgs where id in ($1, $2)", {kHome, kOther});
          sql.run("insert into orgs (id, name) values ($1, 'Home'), ($2, 'Other')",
                  {kHome, kOther});
          user_ = *sql.value("select gen_random_uuid()");
          return ok();
        });
    EXPECT_TRUE(made) << made.error().message;
  }
  void join(const char* org, const char* role) {
    const Status joined =
        kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
          Sql(transaction)
              .run("insert into org_members (org_id, user_id, role) values ($1, $2, $3)",
                   {org, user_, role});
          return ok();
        });
    EXPECT_TRUE(joined) << joined.error().message;
  }
  /// `claims` begins with a comma or is empty.
  Principal user(const std::string& claims) const {
    return {.role = "authenticated",
            .user = user_,
            .claims = R"({"sub":")" + user_ + "\"" + claims + "}"};
  }
  static std::string active(const char* org) {
    return R"(,"active_org":")" + std::string(org) + "\"";
  }
  static std::string ask(const Principal& principal, const std::string& statement) {
    std::string answer;
    const Status asked =
        kDatabase->transact_as(principal, [&](pqxx::transaction_base& transaction) {
          answer = Sql(transaction).value(statement).value_or("null");
          return ok();
        });
    EXPECT_TRUE(asked) << asked.error().message;
    return answer;
  }

  std::string user_;
};

TEST_F(Permissions, AnOrganisationIsTheCallersOnlyWhenTheCallerIsAMember) {
  join(kHome, "viewer");
  EXPECT_EQ(ask(user(active(kHome)), "select app.org()"), kHome);
  EXPECT_EQ(ask(user(active(kOther)), "select app.org()"), "null");
  EXPECT_EQ(ask(user(""), "select app.org()"), "null");
  EXPECT_EQ(ask(user(active(kOther)), "select app.can('read')"), "f");
}

TEST_F(Permissions, TheHeadersOrganisationGoesBeforeTheTokens) {
  join(kHome, "viewer");
  join(kOther, "viewer");
  const std::string token = R"(,"app_metadata":{"org_id":")" + std::string(kHome) + "\"}";
  EXPECT_EQ(ask(user(token), "select app.org()"), kHome);
  EXPECT_EQ(ask(user(token + active(kOther)), "select app.org()"), kOther);
}

TEST_F(Permissions, AUserWritesNoOrganisationIntoTheToken) {
  join(kHome, "viewer");
  const std::string forged = R"(,"user_metadata":{"org_id":")" + std::string(kHome) + "\"}";
  EXPECT_EQ(ask(user(forged), "select app.org()"), "null");
}

// Rows "Role admin", "Role user" and "Role viewer" of the requirements: admin reads, writes,
// deletes and manages users; a user reads and writes what is the user's own; a viewer reads.
TEST_F(Permissions, AreThoseOfTheRole) {
  const auto allowed = [&](const char* role) {
    user_ = MeetingId::random().to_string();
    join(kHome, role);
    return ask(user(active(kHome)),
               "select string_agg(p, ' ') from unnest(array['read', 'write_own',"
               " 'write', 'delete', 'manage_users', 'manage_owners']) p"
               " where app.can(p)");
  };
  EXPECT_EQ(allowed("owner"), "read write_own write delete manage_users manage_owners");
  EXPECT_EQ(allowed("admin"), "read write_own write delete manage_users");
  EXPECT_EQ(allowed("user"), "read write_own");
  EXPECT_EQ(allowed("viewer"), "read");
}

TEST_F(Permissions, AKeysScopesOnlyNarrowThem) {
  join(kHome, "user");
  const auto can = [&](const char* scopes, const char* permission) {
    return ask(user(active(kHome) + ",\"scopes\":" + scopes),
               std::string("select app.can('") + permission + "')");
  };
  EXPECT_EQ(can(R"(["read"])", "read"), "t");
  EXPECT_EQ(can(R"(["read"])", "write_own"), "f");
  EXPECT_EQ(can(R"(["write"])", "write_own"), "t");
  EXPECT_EQ(can(R"(["write"])", "write"), "f");  // The user may not.
  EXPECT_EQ(can("[]", "read"), "f");
}

TEST_F(Permissions, OnlyAnOwnerMakesOwners) {
  const char* const make_owner =
      "with added as (insert into org_members (user_id, role)"
      " values (gen_random_uuid(), 'owner') returning role) select role from added";
  join(kHome, "owner");
  EXPECT_EQ(ask(user(active(kHome)), make_owner), "owner");
  const Status demoted =
      kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
        Sql(transaction).run("update org_members set role = 'admin' where user_id = $1", {user_});
        return ok();
      });
  ASSERT_TRUE(demoted);
  const auto write = [&](const std::string& statement) {
    return kDatabase->transact_as(user(active(kHome)), [&](pqxx::transaction_base& transaction) {
      Sql(transaction).run(statement);
      return ok();
    });
  };
  EXPECT_EQ(write(make_owner).error().code, ErrorCode::kForbidden);
  EXPECT_EQ(write("update org_members set role = 'owner' where user_id = auth.uid()").error().code,
            ErrorCode::kForbidden);
  EXPECT_TRUE(write("insert into org_members (user_id) values (gen_random_uuid())"));
}

}  // namespace
}  // namespace qylon::api
