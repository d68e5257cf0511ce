// The vault: what is stored sealed, opened only where it belongs, and told to the audit log.

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "api/core/vault.hpp"
#include "core/ids.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

using storage::Sql;
using storage::SqlRow;
using storage::SqlValue;

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

class VaultTest : public testing::Test {
 protected:
  Status put(const Vault& vault, const SecretName& name, const std::string& secret) const {
    return kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
      Sql sql(tx);
      return vault.put(sql, name, secret);
    });
  }
  Result<std::string> read(const Vault& vault, const SecretName& name) const {
    return kDatabase->run<Result<std::string>>([&](storage::Session& session) {
      return vault.read(session, name, {.actor = actor_, .purpose = "test"});
    });
  }
  std::size_t rewrap(const Vault& vault) const {
    std::size_t count = 0;
    EXPECT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
      Sql sql(tx);
      count = *vault.rewrap(sql);
      return ok();
    }));
    return count;
  }
  Status check(const Vault& vault) const {
    return kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
      Sql sql(tx);
      return vault.check(sql);
    });
  }
  void TearDown() override {
    kDatabase->rows("delete from vault_secrets");
    kDatabase->rows("delete from vault_keys");
  }

  const std::string actor_ = "33333333-2222-4333-8444-555555555555";
  const SecretName smtp_{.org = Uuid::random().to_string(), .name = "smtp/password"};
  const SecretName other_{.org = Uuid::random().to_string(), .name = "smtp/password"};
  const SealKey master_ = SealKey::random();
  const Vault vault_{MasterKeys({master_})};
};

TEST_F(VaultTest, GivesBackWhatWasStoredLast) {
  ASSERT_TRUE(put(vault_, smtp_, "one"));
  ASSERT_TRUE(put(vault_, smtp_, std::string("tw\0o", 4)));
  ASSERT_TRUE(put(vault_, other_, "theirs"));
  EXPECT_EQ(*read(vault_, smtp_), std::string("tw\0o", 4));
  EXPECT_EQ(*read(vault_, other_), "theirs");
  const auto missing = read(vault_, {.org = smtp_.org, .name = "nothing"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST_F(VaultTest, StoresNoPlainText) {
  ASSERT_TRUE(put(vault_, smtp_, "a very secret word"));
  EXPECT_TRUE(kDatabase
                  ->rows("select from vault_secrets s, vault_keys k where s::text || k::text ilike"
                         " '%' || encode('very secret'::bytea, 'hex') || '%'")
                  .empty());
}

TEST_F(VaultTest, TellsTheAuditLogOfEveryReadingBeforeItAnswers) {
  ASSERT_TRUE(put(vault_, smtp_, "one"));
  ASSERT_TRUE(read(vault_, smtp_));
  EXPECT_EQ(kDatabase->rows("select action, subject, actor, detail ->> 'purpose' from audit_log"
                            " where org_id = $1 order by seq",
                            {smtp_.org}),
            (std::vector<SqlRow>{{"secret.written", "secret:smtp/password", {}, ""},
                                 {"secret.read", "secret:smtp/password", actor_, "test"}}));
}

TEST_F(VaultTest, OpensNothingThatWasMovedOrPutBack) {
  ASSERT_TRUE(put(vault_, smtp_, "one"));
  const auto old = kDatabase->rows(
      "select encode(sealed, 'hex') from vault_secrets where org_id = $1", {smtp_.org})[0][0];
  ASSERT_TRUE(put(vault_, smtp_, "two"));
  ASSERT_TRUE(put(vault_, other_, "theirs"));
  kDatabase->rows("update vault_secrets set sealed = decode($1, 'hex') where org_id = $2",
                  {old, smtp_.org});
  kDatabase->rows("update vault_secrets set sealed = decode($1, 'hex') where org_id = $2",
                  {old, other_.org});
  for (const SecretName& name : {smtp_, other_}) {
    const auto opened = read(vault_, name);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kInternal);
  }
  ASSERT_TRUE(put(vault_, other_, "theirs"));
  kDatabase->rows(
      "update vault_keys a set wrapped = b.wrapped from vault_keys b"
      " where a.org_id = $1 and b.org_id = $2",
      {other_.org, smtp_.org});
  EXPECT_FALSE(read(vault_, other_)) << "another organisation's data key";
}

TEST_F(VaultTest, RotatesItsMasterKeyWithoutTouchingSecrets) {
  ASSERT_TRUE(put(vault_, smtp_, "one"));
  ASSERT_TRUE(put(vault_, other_, "two"));
  const auto sealed = kDatabase->rows("select sealed from vault_secrets order by org_id");
  const SealKey fresh = SealKey::random();
  const Vault both{MasterKeys({fresh, master_})};
  const Vault only_new{MasterKeys({fresh})};
  const Status refused = check(only_new);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(rewrap(both), 2U);
  EXPECT_EQ(rewrap(both), 0U);
  EXPECT_EQ(kDatabase->rows("select sealed from vault_secrets order by org_id"), sealed);
  EXPECT_TRUE(check(only_new));
  EXPECT_EQ(*read(only_new, smtp_), "one");
  EXPECT_FALSE(read(vault_, smtp_)) << "the old key opens nothing any more";
}

TEST_F(VaultTest, RefusesNamesAndSizesThatItCannotKeep) {
  for (const char* name : {"", "A", "../x y", "-a", "a b"}) {
    const Status status = put(vault_, {.org = smtp_.org, .name = name}, "x");
    ASSERT_FALSE(status) << name;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_FALSE(put(vault_, smtp_, ""));
  EXPECT_FALSE(put(vault_, smtp_, std::string(Vault::kSecretBytesMax + 1, 'x')));
}

TEST_F(VaultTest, KeepsTheServersOwnSecretsApart) {
  const SecretName own{.org = {}, .name = "smtp/password"};
  ASSERT_TRUE(put(vault_, own, "ours"));
  EXPECT_EQ(*read(vault_, own), "ours");
}

TEST(MasterKeys, AreMadeOnceKeptPrivateAndAddedInFront) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/master-keys";
  const auto first = MasterKeys::open(directory.path());
  ASSERT_TRUE(first);
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto rotated = MasterKeys::add_new(directory.path());
  ASSERT_TRUE(rotated);
  EXPECT_NE(rotated->active_id(), first->active_id());
  const auto again = MasterKeys::open(directory.path());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->active_id(), rotated->active_id());
  EXPECT_NE(again->find(first->active_id()), nullptr);
}

TEST(MasterKeys, RefuseAFileThatOthersReadOrThatHoldsNoKey) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/master-keys";
  ASSERT_TRUE(MasterKeys::open(directory.path()));
  std::filesystem::permissions(
      path, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  EXPECT_FALSE(MasterKeys::open(directory.path()));
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  std::ofstream(path) << "secret\n";
  const auto refused = MasterKeys::open(directory.path());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find("secret"), std::string::npos);
}

TEST(MasterKeys, TakeOverTheFileOfAnEarlierRelease) {
  const test::TemporaryDirectory directory;
  const auto made = MasterKeys::open(directory.path());
  ASSERT_TRUE(made);
  std::filesystem::rename(directory.path() + "/master-keys", directory.path() + "/vault-keys");
  const auto found = MasterKeys::open(directory.path());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->active_id(), made->active_id());
  EXPECT_FALSE(std::filesystem::exists(directory.path() + "/vault-keys"));
}

}  // namespace
}  // namespace qylon::api
