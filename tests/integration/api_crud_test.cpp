// What requests do with declared entities, over the routes and a real PostgreSQL.

#include <gtest/gtest.h>

#include "tests/support/platform_calls.hpp"

namespace qylon::api {
namespace {

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

constexpr const char* kHome = "aaaaaaaa-0000-4000-8000-000000000001";
constexpr const char* kOther = "bbbbbbbb-0000-4000-8000-000000000001";
constexpr const char* kNobody = "cccccccc-0000-4000-8000-000000000001";

std::vector<Domain> garden() {
  return {{"garden",
           {Entity("beds").organisation().text("name").required().max(20).unique({"name"}),
            Entity("plants")
                .organisation()
                .emits("plant")
                .reference("bed_id", "beds")
                .text("name")
                .required()
                .text("kind")
                .one_of({"tree", "herb"})
                .by_default("'herb'")
                .integer("height_cm")
                .texts("tags")
                .document("notes")
                .bytes("photo")
                .time("planted_at")
                .text("recipe")
                .secret(),
            Entity("visits").append().text("who").required(),
            Entity("wishes").owner().text("wish").required(),
            Entity("letters").public_insert().email("sender").required().text("message")}}};
}

class Crud : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    test::make_tables(*kDatabase, garden());
    calls_ = new test::PlatformCalls(*kDatabase, garden());
    admin_ = {test::make_member(*kDatabase, kHome, "admin"), kHome};
    stranger_ = {test::make_member(*kDatabase, kOther, "admin"), kOther};
  }
  static void TearDownTestSuite() { delete calls_; }

  static HttpResponse send(const test::PlatformCalls::From& from,
                           const std::string& method,
                           const std::string& target,
                           const std::string& body = {},
                           test::PlatformCalls::Headers headers = {}) {
    return calls_->send(from, method, target, body, std::move(headers));
  }
  /// Path of a new row.
  static std::string add(const std::string& path, const std::string& body) {
    const HttpResponse response = send(admin_, "POST", path, body);
    EXPECT_EQ(response.status, 201) << response.body;
    return test::header_of(response, "Location");
  }
  static std::string member(const HttpResponse& response, const std::string& name) {
    const std::size_t at = response.body.find('"' + name + "\" : ");
    if (at == std::string::npos) return "(absent)";
    const std::size_t begin = at + name.size() + 5;
    return response.body.substr(begin, response.body.find_first_of(",}", begin) - begin);
  }
  static std::size_t count(const HttpResponse& list) {
    std::size_t found = 0;
    for (std::size_t at = list.body.find("\"id\""); at != std::string::npos;
         at = list.body.find("\"id\"", at + 1))
      ++found;
    return found;
  }

  static inline test::PlatformCalls* calls_ = nullptr;
  static inline test::PlatformCalls::From admin_;
  static inline test::PlatformCalls::From stranger_;
};

TEST_F(Crud, ACreatedRowIsReadBackWithDefaultsAndWithoutSecrets) {
  const std::string path = add("/api/plants",
                               R"({"name":"Sage \u00e9","height_cm":40,"tags":["a,b","c"],)"
                               R"("notes":{"soil":["dry"]},"photo":"aGk=","recipe":"tea",)"
                               R"("planted_at":"2026-04-01T10:00:00+02:00"})");
  const HttpResponse row = send(admin_, "GET", path);
  EXPECT_EQ(row.status, 200);
  EXPECT_EQ(member(row, "name"), "\"Sage \u00e9\"");
  EXPECT_EQ(member(row, "kind"), "\"herb\"");
  EXPECT_EQ(member(row, "photo"), "\"aGk=\"");
  EXPECT_EQ(member(row, "planted_at"), "\"2026-04-01T08:00:00+00:00\"");
  EXPECT_NE(row.body.find(R"(["a,b","c"])"), std::string::npos) << row.body;
  EXPECT_EQ(member(row, "created_by"), '"' + admin_.token + '"');
  EXPECT_EQ(member(row, "org_id"), '"' + std::string(kHome) + '"');
  EXPECT_EQ(row.body.find("recipe"), std::string::npos);
}

TEST_F(Crud, WhatIsWrongInABodyIsNamedByPointer) {
  const HttpResponse response = send(
      admin_, "POST", "/api/plants", R"({"kind":"stone","org_id":"x","a/b":1,"height_cm":1.5})");
  EXPECT_EQ(response.status, 400);
  for (const char* pointer : {"/kind", "/org_id", "/a~1b", "/height_cm", "/name"})
    EXPECT_NE(response.body.find('"' + std::string(pointer) + '"'), std::string::npos) << pointer;
}

TEST_F(Crud, APatchChangesOnlyWhatItNames) {
  const std::string path = add("/api/plants", R"({"name":"Mint","height_cm":3})");
  const HttpResponse response = send(admin_, "PATCH", path, R"({"height_cm":null})");
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(member(response, "name"), "\"Mint\"");
  EXPECT_EQ(member(response, "height_cm"), "null");
  EXPECT_EQ(send(admin_, "PATCH", path, "{}").status, 400);
}

TEST_F(Crud, AnOldTagChangesNothing) {
  const std::string path = add("/api/plants", R"({"name":"Rue"})");
  const std::string tag = test::header_of(send(admin_, "GET", path), "ETag");
  EXPECT_EQ(send(admin_, "GET", path, "", {{"if-none-match", tag}}).status, 304);
  EXPECT_EQ(send(admin_, "PATCH", path, R"({"name":"Rue 2"})", {{"if-match", tag}}).status, 200);
  EXPECT_EQ(send(admin_, "PATCH", path, R"({"name":"Rue 3"})", {{"if-match", tag}}).status, 412);
  EXPECT_EQ(send(admin_, "DELETE", path, "", {{"if-match", tag}}).status, 412);
  EXPECT_EQ(member(send(admin_, "GET", path), "name"), "\"Rue 2\"");
  EXPECT_EQ(send(admin_, "DELETE", path, "", {{"if-match", "*"}}).status, 204);
  EXPECT_EQ(send(admin_, "GET", path).status, 404);
}

TEST_F(Crud, AListIsNotSentTwiceUntilItChanges) {
  add("/api/plants", R"({"name":"Rue"})");
  const std::string tag = test::header_of(send(admin_, "GET", "/api/plants"), "ETag");
  const std::string known = R"(W/"other", )" + tag;
  const HttpResponse same = send(admin_, "GET", "/api/plants", "", {{"if-none-match", known}});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
  EXPECT_EQ(test::header_of(same, "ETag"), tag);
  add("/api/plants", R"({"name":"Sage"})");
  EXPECT_EQ(send(admin_, "GET", "/api/plants", "", {{"if-none-match", tag}}).status, 200);
}

TEST_F(Crud, ARowOfAnotherOrganisationIsNotThere) {
  const std::string path = add("/api/plants", R"({"name":"Hidden"})");
  EXPECT_EQ(send(stranger_, "GET", path).status, 404);
  EXPECT_EQ(send(stranger_, "PATCH", path, R"({"name":"Mine"})").status, 404);
  EXPECT_EQ(send(stranger_, "DELETE", path).status, 404);
  EXPECT_EQ(send({stranger_.token, kHome}, "GET", path).status, 404);
  EXPECT_EQ(count(send(stranger_, "GET", "/api/plants")), 0U);
}

TEST_F(Crud, AReferenceStaysInsideTheOrganisation) {
  const HttpResponse bed = send(stranger_, "POST", "/api/beds", R"({"name":"Theirs"})");
  const std::string id = member(bed, "id");
  const HttpResponse response =
      send(admin_, "POST", "/api/plants", R"({"name":"Thief","bed_id":)" + id + "}");
  EXPECT_EQ(response.status, 400) << response.body;
}

TEST_F(Crud, AKeyIsTakenOnceInEachOrganisation) {
  EXPECT_EQ(send(admin_, "POST", "/api/beds", R"({"name":"East"})").status, 201);
  EXPECT_EQ(send(admin_, "POST", "/api/beds", R"({"name":"East"})").status, 409);
  EXPECT_EQ(send(stranger_, "POST", "/api/beds", R"({"name":"East"})").status, 201);
}

TEST_F(Crud, PagesFollowOneAnotherWithoutGapOrRepeat) {
  for (int i = 0; i < 7; ++i)
    add("/api/plants", R"({"name":"page)" + std::to_string(i) + R"(","height_cm":7})");
  std::string names;
  std::string target = "/api/plants?height_cm=eq.7&order=name.asc&limit=3";
  for (int page = 0; page < 4; ++page) {
    const HttpResponse list = send(admin_, "GET", target);
    ASSERT_EQ(list.status, 200) << list.body;
    for (std::size_t at = list.body.find("page"); at != std::string::npos;
         at = list.body.find("page", at + 1))
      names += list.body.substr(at + 4, 1);
    const std::size_t next = list.body.find(R"("next":")");
    if (next == std::string::npos) break;
    const std::string cursor = list.body.substr(next + 8, list.body.size() - next - 10);
    target = "/api/plants?height_cm=eq.7&order=name.asc&limit=3&cursor=" + cursor;
  }
  EXPECT_EQ(names, "0123456");
}

TEST_F(Crud, ConditionsNarrowAList) {
  add("/api/plants",
      R"({"name":"Oak","kind":"tree","height_cm":2000,"tags":["old"],"notes":{"a":1}})");
  const auto found = [](const std::string& condition) {
    return count(send(admin_, "GET", "/api/plants?name=eq.Oak&" + condition));
  };
  EXPECT_EQ(found("kind=eq.tree"), 1U);
  EXPECT_EQ(found("kind=neq.tree"), 0U);
  EXPECT_EQ(found("height_cm=gte.2000"), 1U);
  EXPECT_EQ(found("height_cm=lt.2000"), 0U);
  EXPECT_EQ(found("name=ilike.o*K"), 1U);
  EXPECT_EQ(found("kind=in.(herb,tree)"), 1U);
  EXPECT_EQ(found("bed_id=is.null"), 1U);
  EXPECT_EQ(found("bed_id=is.not_null"), 0U);
  EXPECT_EQ(found("tags=cs.{old}"), 1U);
  EXPECT_EQ(found("notes=cs.{\"a\":1}"), 1U);
}

TEST_F(Crud, AParameterThatIsWrongIsNamed) {
  for (const char* query : {"limit=0",
                            "limit=x",
                            "order=kind",
                            "order=name.up",
                            "cursor=eA",
                            "colour=eq.red",
                            "recipe=eq.tea",
                            "name=Oak",
                            "height_cm=like.1",
                            "height_cm=eq.tall",
                            "bed_id=eq.1"}) {
    const HttpResponse response = send(admin_, "GET", std::string("/api/plants?") + query);
    EXPECT_EQ(response.status, 400) << query << response.body;
  }
}

TEST_F(Crud, ARowThatIsOnlyAddedIsNeverChanged) {
  const std::string path = add("/api/visits", R"({"who":"Ann"})");
  EXPECT_EQ(send(admin_, "GET", path).status, 200);
  EXPECT_EQ(send(admin_, "PATCH", path, R"({"who":"Bob"})").status, 405);
  EXPECT_EQ(send(admin_, "DELETE", path).status, 405);
}

TEST_F(Crud, AnybodyAddsWhereAnybodyMayAndNobodyReads) {
  EXPECT_EQ(send({}, "POST", "/api/letters", R"({"sender":"a@b.example"})").status, 201);
  EXPECT_EQ(send({}, "POST", "/api/letters", R"({"sender":"nobody"})").status, 400);
  EXPECT_EQ(send(admin_, "GET", "/api/letters").status, 405);
}

TEST_F(Crud, AUsersOwnRowsAreNobodyElses) {
  const std::string path = add("/api/wishes", R"({"wish":"rain"})");
  const std::string other = test::make_member(*kDatabase, kHome, "owner");
  EXPECT_EQ(send(admin_, "GET", path).status, 200);
  EXPECT_EQ(send({other, kHome}, "GET", path).status, 404);
  EXPECT_EQ(count(send({other, kHome}, "GET", "/api/wishes")), 0U);
}

TEST_F(Crud, AUserChangesOwnRowsAndAViewerNone) {
  const test::PlatformCalls::From user{test::make_member(*kDatabase, kHome, "user"), kHome};
  const test::PlatformCalls::From viewer{test::make_member(*kDatabase, kHome, "viewer"), kHome};
  const std::string theirs = add("/api/beds", R"({"name":"Admin's"})");
  const HttpResponse own = send(user, "POST", "/api/beds", R"({"name":"User's"})");
  ASSERT_EQ(own.status, 201) << own.body;
  const std::string mine = test::header_of(own, "Location");
  EXPECT_EQ(send(user, "PATCH", mine, R"({"name":"Mine"})").status, 200);
  EXPECT_EQ(send(user, "GET", theirs).status, 200);
  EXPECT_EQ(send(user, "PATCH", theirs, R"({"name":"Mine"})").status, 403);
  EXPECT_EQ(send(user, "DELETE", theirs).status, 403);
  EXPECT_EQ(send(viewer, "GET", mine).status, 200);
  EXPECT_EQ(send(viewer, "POST", "/api/beds", R"({"name":"No"})").status, 403);
  EXPECT_EQ(send(viewer, "DELETE", mine).status, 403);
  EXPECT_EQ(send(admin_, "DELETE", mine).status, 204);
  EXPECT_EQ(send({kNobody, kHome}, "GET", theirs).status, 404);
}

TEST_F(Crud, EveryChangeIsAnEventWithoutItsSecrets) {
  const std::string path = add("/api/plants", R"({"name":"Eventful","recipe":"soup"})");
  send(admin_, "PATCH", path, R"({"name":"Changed"})");
  send(admin_, "DELETE", path);
  std::string seen;
  const Status read =
      kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
        const auto rows =
            storage::Sql(transaction)
                .rows("select type, data::text from events where stream = $1 order by version",
                      {"plant:" + path.substr(path.rfind('/') + 1)});
        for (const storage::SqlRow& row : rows) {
          seen += *row[0] + " ";
          EXPECT_EQ(row[1]->find("soup"), std::string::npos);
        }
        return ok();
      });
  EXPECT_TRUE(read);
  EXPECT_EQ(seen, "plant.created plant.updated plant.deleted ");
}

}  // namespace
}  // namespace qylon::api
