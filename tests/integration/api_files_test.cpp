// Files: who sees and writes what, pieces, replacements, links.

#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/files/files.hpp"
#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "core/ids.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

using nlohmann::json;
using storage::Sql;

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

std::string text_of_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class Files : public testing::Test {
 protected:
  /// A member of `org` with `role`.
  static Principal member(const std::string& org, const std::string& role) {
    const std::string user = Uuid::random().to_string();
    const Status made =
        kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
          Sql sql(tx);
          sql.run("insert into orgs (id, name) values ($1, 'Org') on conflict do nothing", {org});
          sql.run("insert into org_members (org_id, user_id, role) values ($1, $2, $3)",
                  {org, user, role});
          return ok();
        });
    EXPECT_TRUE(made) << made.error().message;
    return {.role = "authenticated",
            .user = user,
            .claims = json{{"sub", user}, {"role", "authenticated"}, {"active_org", org}}.dump()};
  }

  HttpResponse ask(const Principal& principal,
                   const std::string& method,
                   const std::string& path,
                   const std::string& body = "",
                   std::vector<std::pair<std::string, std::string>> query = {}) {
    RouteTable table;
    table.add(files_.routes());
    const auto match = table.find(method, path);
    EXPECT_NE(match.route, nullptr) << method << " " << path;
    auto call = std::make_shared<Call>();
    call->principal = principal;
    call->captures = match.captures;
    call->request.method = method;
    call->request.path = path;
    call->request.body = body;
    call->request.content_type = "text/plain";
    call->request.query = std::move(query);
    std::promise<HttpResponse> answer;
    match.route->handler(call, [&](HttpResponse given) { answer.set_value(std::move(given)); });
    return answer.get_future().get();
  }
  void make_bucket(const std::string& body = R"({"name":"docs"})") {
    const HttpResponse made = ask(admin_, "POST", "/api/file-buckets", body);
    ASSERT_EQ(made.status, 201) << made.body;
  }

  const test::TemporaryDirectory directory_;
  test::FakeClock clock_;
  Counters counters_;
  const std::string org_ = Uuid::random().to_string();
  const Principal admin_ = member(org_, "admin");
  const Principal user_ = member(org_, "user");
  const Principal viewer_ = member(org_, "viewer");
  const Principal stranger_ = member(Uuid::random().to_string(), "admin");
  FilesApi files_{{.dir = directory_.path() + "/files", .link_secret = "secret"},
                  {.database = kDatabase->pool(), .clock = clock_, .counters = counters_}};
};

TEST_F(Files, ComeBackWithTheirTypeAndSum) {
  make_bucket();
  const HttpResponse put = ask(user_, "PUT", "/api/files/docs/a/b.txt", "hello");
  ASSERT_EQ(put.status, 201) << put.body;
  const json made = json::parse(put.body);
  EXPECT_EQ(made.at("sha256"), hex(sha256("hello")));
  EXPECT_EQ(made.at("bytes"), 5);
  EXPECT_FALSE(made.contains("blob"));
  const HttpResponse got = ask(viewer_, "GET", "/api/files/docs/a/b.txt");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.content_type, "text/plain");
  EXPECT_EQ(text_of_file(got.file_path), "hello");
  EXPECT_EQ(got.file_path.find("b.txt"), std::string::npos);
}

TEST_F(Files, AreSeenAndWrittenByTheirOrganisationAlone) {
  make_bucket();
  ASSERT_EQ(ask(admin_, "PUT", "/api/files/docs/a", "x").status, 201);
  EXPECT_EQ(ask(stranger_, "GET", "/api/files/docs/a").status, 404);
  EXPECT_EQ(ask(stranger_, "PUT", "/api/files/docs/a", "y").status, 404);
  EXPECT_EQ(ask(stranger_, "DELETE", "/api/files/docs/a").status, 404);
  EXPECT_EQ(ask(stranger_, "POST", "/api/file-links/docs/a").status, 404);
  EXPECT_EQ(ask(stranger_, "GET", "/api/files/docs").status, 404);
  EXPECT_EQ(ask(stranger_, "GET", "/api/file-buckets").body, "[]");
  EXPECT_EQ(ask(Principal{}, "GET", "/api/files/docs/a").status, 403);
}

TEST_F(Files, AreWrittenAsTheRoleSays) {
  make_bucket();
  EXPECT_EQ(ask(viewer_, "PUT", "/api/files/docs/a", "x").status, 403);
  EXPECT_EQ(ask(user_, "POST", "/api/file-buckets", R"({"name":"more"})").status, 403);
  ASSERT_EQ(ask(admin_, "PUT", "/api/files/docs/a", "x").status, 201);
  EXPECT_EQ(ask(user_, "PUT", "/api/files/docs/a", "y").status, 403) << "somebody else's";
  EXPECT_EQ(ask(user_, "DELETE", "/api/files/docs/a").status, 404);
  EXPECT_EQ(text_of_file(ask(admin_, "GET", "/api/files/docs/a").file_path), "x");
}

TEST_F(Files, ComeInPiecesAndShowWhenTheyAreWhole) {
  make_bucket();
  const std::string path = "/api/files/docs/large";
  EXPECT_EQ(ask(user_, "PUT", path, "hello ", {{"more", "true"}}).body, R"({"offset":6})");
  EXPECT_EQ(ask(user_, "GET", path).status, 404);
  EXPECT_EQ(ask(user_, "PUT", path, "xx", {{"offset", "4"}}).status, 409);
  EXPECT_EQ(ask(admin_, "PUT", path, "xx", {{"offset", "6"}}).status, 404) << "not the admin's";
  const HttpResponse wrong =
      ask(user_, "PUT", path, "world", {{"offset", "6"}, {"sha256", hex(sha256("other"))}});
  EXPECT_EQ(wrong.status, 400);
  const HttpResponse done =
      ask(user_, "PUT", path, "world", {{"offset", "6"}, {"sha256", hex(sha256("hello world"))}});
  ASSERT_EQ(done.status, 201) << done.body;
  EXPECT_EQ(text_of_file(ask(user_, "GET", path).file_path), "hello world");
}

TEST_F(Files, AreReplacedAndRemovedWithoutLeavingBytesBehind) {
  make_bucket();
  ASSERT_EQ(ask(user_, "PUT", "/api/files/docs/a", "one").status, 201);
  const std::string first = ask(user_, "GET", "/api/files/docs/a").file_path;
  ASSERT_EQ(ask(user_, "PUT", "/api/files/docs/a", "tw", {{"more", "true"}}).status, 202);
  ASSERT_EQ(ask(user_, "PUT", "/api/files/docs/a", "two").status, 201);
  const std::string second = ask(user_, "GET", "/api/files/docs/a").file_path;
  EXPECT_EQ(text_of_file(second), "two");
  EXPECT_EQ(ask(user_, "DELETE", "/api/files/docs/a").status, 204);
  EXPECT_EQ(ask(user_, "GET", "/api/files/docs/a").status, 404);
  std::size_t left = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path()))
    left += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(left, 0U);
  EXPECT_NE(first, second);
}

TEST_F(Files, AreTakenAsTheirBucketAllows) {
  make_bucket(R"({"name":"small","bytes_max":4,"types":["text/plain"]})");
  EXPECT_EQ(ask(user_, "PUT", "/api/files/small/a", "12345").status, 400);
  EXPECT_EQ(ask(user_, "PUT", "/api/files/small/a", "1234").status, 201);
  make_bucket(R"({"name":"images","types":["image/png"]})");
  EXPECT_EQ(ask(user_, "PUT", "/api/files/images/a", "1").status, 400);
  for (const char* path : {"a//b", "./a", "a/..", "a\\b", "a\nb"})
    EXPECT_EQ(ask(user_, "PUT", std::string("/api/files/small/") + path, "1").status, 400) << path;
  EXPECT_EQ(ask(admin_, "POST", "/api/file-buckets", "{").status, 400);
  EXPECT_EQ(ask(admin_, "POST", "/api/file-buckets", R"({"name":"A b"})").status, 400);
  EXPECT_EQ(ask(admin_, "POST", "/api/file-buckets", R"({"name":"small"})").status, 409);
}

TEST_F(Files, AreFetchedByAnybodyWithALinkUntilItIsOver) {
  make_bucket();
  ASSERT_EQ(ask(user_, "PUT", "/api/files/docs/a", "x").status, 201);
  const HttpResponse made =
      ask(viewer_, "POST", "/api/file-links/docs/a", "", {{"expires_s", "60"}});
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string url = json::parse(made.body).at("url");
  const std::string start = "/files?token=";
  ASSERT_TRUE(url.starts_with(start)) << url;
  const std::string token = url.substr(start.size());
  const auto follow = [&](const std::string& shown) {
    return ask(Principal{}, "GET", "/files", "", {{"token", shown}});
  };
  EXPECT_EQ(text_of_file(follow(token).file_path), "x");
  EXPECT_EQ(follow(token + "x").status, 403);
  EXPECT_EQ(follow("").status, 403);
  clock_.advance_us(61'000'000);
  EXPECT_EQ(follow(token).status, 403);
}

TEST_F(Files, AreListedByPrefixAndCountedInTheirBucket) {
  make_bucket();
  for (const char* path : {"a/1", "a/2", "b/1"})
    ASSERT_EQ(ask(user_, "PUT", std::string("/api/files/docs/") + path, "xy").status, 201);
  const json found =
      json::parse(ask(viewer_, "GET", "/api/files/docs", "", {{"prefix", "a/"}}).body);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].at("path"), "a/2");
  const json buckets = json::parse(ask(viewer_, "GET", "/api/file-buckets").body);
  EXPECT_EQ(buckets.at(0).at("files"), 3);
  EXPECT_EQ(buckets.at(0).at("bytes"), 6);
}

TEST_F(Files, ThatWereNeverFinishedAreDroppedAfterADay) {
  make_bucket();
  ASSERT_EQ(ask(user_, "PUT", "/api/files/docs/a", "x", {{"more", "true"}}).status, 202);
  const FileStore store(directory_.path() + "/files");
  const auto drop = [&] {
    return kDatabase->transact_as_owner([&](pqxx::transaction_base& tx) {
      Sql sql(tx);
      return FilesApi::drop_stale_uploads(sql, store);
    });
  };
  const auto standing = [&] {
    return ask(user_, "PUT", "/api/files/docs/a", "y", {{"offset", "7"}}).status;
  };
  ASSERT_TRUE(drop());
  EXPECT_EQ(standing(), 409);
  ASSERT_TRUE(kDatabase->transact_as_owner([](pqxx::transaction_base& tx) {
    Sql sql(tx);
    sql.run("alter table file_uploads disable trigger user");
    sql.run("update file_uploads set updated_at = now() - interval '25 hours'");
    sql.run("alter table file_uploads enable trigger user");
    return ok();
  }));
  ASSERT_TRUE(drop());
  EXPECT_EQ(standing(), 404);
}

}  // namespace
}  // namespace qylon::api
