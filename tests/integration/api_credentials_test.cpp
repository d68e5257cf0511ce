// Credentials over their routes: who stores them, and that nobody reads them.

#include <gtest/gtest.h>

#include "api/credentials.hpp"
#include "tests/support/json_calls.hpp"

namespace qylon::api {
namespace {

using Json = test::JsonCalls::Json;
using From = test::JsonCalls::From;

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

class Credentials : public testing::Test, protected test::JsonCalls {
 protected:
  Credentials() : JsonCalls(*kDatabase, {}) { add(credential_routes(jobs(), vault_)); }

  Result<std::string> read(const std::string& org, const std::string& name) const {
    return kDatabase->run<Result<std::string>>([&](storage::Session& session) {
      return vault_.read(session, {org, name}, {.actor = "", .purpose = "test"});
    });
  }

  const Vault vault_{MasterKeys({SealKey::random()})};
  const std::string org_ = test::random_uuid();
  const From owner_{test::make_member(*kDatabase, org_, "owner"), org_};
};

TEST_F(Credentials, AreStoredReplacedListedAndRemoved) {
  const Json stored = ask(200, owner_, "PUT", "/api/credentials/llm/key", {{"secret", "sk-1"}});
  EXPECT_EQ(stored["name"], "llm/key");
  EXPECT_EQ(stored["version"], 1);
  EXPECT_EQ(ask(200, owner_, "PUT", "/api/credentials/llm/key", {{"secret", "sk-2"}})["version"],
            2);
  EXPECT_EQ(*read(org_, "llm/key"), "sk-2");
  ask(200, owner_, "PUT", "/api/credentials/crm", {{"secret", "c"}});
  const HttpResponse listed = send(owner_, "GET", "/api/credentials");
  EXPECT_EQ(Json::parse(listed.body)["items"].size(), 2U);
  EXPECT_EQ(Json::parse(listed.body)["items"][1]["name"], "llm/key");
  EXPECT_EQ(listed.body.find("sk-"), std::string::npos);
  ask(204, owner_, "DELETE", "/api/credentials/llm/key");
  ask(404, owner_, "DELETE", "/api/credentials/llm/key");
  EXPECT_FALSE(read(org_, "llm/key"));
}

TEST_F(Credentials, AreManagersAlone) {
  const From user{test::make_member(*kDatabase, org_, "user"), org_};
  ask(403, user, "PUT", "/api/credentials/crm", {{"secret", "c"}});
  ask(403, user, "GET", "/api/credentials");
  ask(403, user, "DELETE", "/api/credentials/crm");
  ask(401, {}, "GET", "/api/credentials");
}

TEST_F(Credentials, AreNotAnotherOrganisations) {
  const std::string other = test::random_uuid();
  const From stranger{test::make_member(*kDatabase, other, "owner"), other};
  ask(200, owner_, "PUT", "/api/credentials/crm", {{"secret", "ours"}});
  EXPECT_EQ(ask(200, stranger, "GET", "/api/credentials")["items"], Json::array());
  ask(404, stranger, "DELETE", "/api/credentials/crm");
  ask(200, stranger, "PUT", "/api/credentials/crm", {{"secret", "theirs"}});
  EXPECT_EQ(*read(org_, "crm"), "ours");
  ask(403, {stranger.token, org_}, "PUT", "/api/credentials/crm", {{"secret", "theirs"}});
}

TEST_F(Credentials, HaveNamesAndSizesThatTheVaultTakes) {
  ask(400, owner_, "PUT", "/api/credentials/Large", {{"secret", "c"}});
  ask(400, owner_, "PUT", "/api/credentials/", {{"secret", "c"}});
  ask(400, owner_, "PUT", "/api/credentials/crm", {{"secret", ""}});
  ask(400, owner_, "PUT", "/api/credentials/crm", {{"password", "c"}});
  EXPECT_EQ(PlatformCalls::send(owner_, "PUT", "/api/credentials/crm", "no JSON").status, 400);
}

}  // namespace
}  // namespace qylon::api
