// The REST routes over a real PostgreSQL, without the HTTP edge.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "api/core/router.hpp"
#include "api/meetings.hpp"
#include "api/speakers.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "storage/database.hpp"
#include "storage/meeting_store.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

const SystemClock kClock;
const Log kLog(kClock, LogLevel::kError);

/// One PostgreSQL for all tests.
const test::TestDatabase* const kCluster = test::TestDatabase::of_program();

class AllowAll final : public Access {
 public:
  Result<Principal> identify(const Credentials& credentials) const override {
    if (credentials.token != "wrong") return Principal::service();
    return Error{ErrorCode::kUnauthenticated, "show a token"};
  }
};

/// Ends meetings at once, but the first one after hold() when the test says so.
class Control final : public MeetingControl {
 public:
  void end_meeting(MeetingId, std::function<void(Status)> done) override {
    if (hold_.valid() && !held_) {
      held_ = std::move(done);
      promise_.set_value();
      return;
    }
    done(ok());
  }
  void correct_speakers(MeetingId,
                        SpeakerChange change,
                        std::function<void(Result<std::uint64_t>)> done) override {
    corrections.push_back(std::move(change));
    done(corrections.size() + 100);
  }
  void voice_hints(MeetingId, std::function<void(Result<std::vector<VoiceHint>>)> done) override {
    done(hints);
  }
  std::vector<VoiceHint> hints;
  void hold() { hold_ = promise_.get_future(); }
  /// Waits until an end was asked for.
  void await() { hold_.wait(); }
  void finish(const Status& status) { held_(status); }

  std::vector<SpeakerChange> corrections;

 private:
  std::promise<void> promise_;
  std::future<void> hold_;
  std::function<void(Status)> held_;
};

class Meetings : public testing::Test {
 protected:
  void SetUp() override {
    storage::Database::Options options;
    options.url = kCluster->url();
    auto database = storage::Database::open(options, kLog, counters_, kClock);
    ASSERT_TRUE(database) << database.error().message;
    database_ = *std::move(database);
    api_ = std::make_unique<MeetingsApi>(MeetingsApi::Options{.recordings_dir = recordings_.path()},
                                         MeetingsApi::Parts{*database_, control_, clock_});
    speakers_ = std::make_unique<SpeakersApi>(SpeakersApi::Parts{*database_, control_});
    router_ =
        std::make_unique<Router>(Router::Limits{}, Router::Parts{access_, kClock, kLog, counters_});
    router_->add(api_->routes());
    router_->add(speakers_->routes());
  }
  void TearDown() override {
    api_.reset();
    speakers_.reset();
  }

  std::future<HttpResponse> start(const std::string& method,
                                  const std::string& target,
                                  const std::string& body = "") {
    HttpRequest request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    if (const auto mark = target.find('?'); mark != std::string::npos) {
      const std::string query = target.substr(mark + 1);
      const auto equals = query.find('=');
      request.query.emplace_back(query.substr(0, equals), query.substr(equals + 1));
    }
    request.body = body;
    request.authorization = authorization_;
    request.peer_is_loopback = true;
    auto promise = std::make_shared<std::promise<HttpResponse>>();
    router_->handle(std::move(request),
                    [promise](HttpResponse response) { promise->set_value(std::move(response)); });
    return promise->get_future();
  }
  HttpResponse ask(const std::string& method,
                   const std::string& target,
                   const std::string& body = "") {
    return start(method, target, body).get();
  }
  std::string created(const std::string& body = "{}") {
    const HttpResponse response = ask("POST", "/api/meetings", body);
    EXPECT_EQ(response.status, 201) << response.body;
    return response.body.substr(response.body.find("\"id\":\"") + 6, 36);
  }
  void store(const std::string& meeting, const std::string& text) {
    auto caption = std::make_shared<Caption>();
    caption->meeting = *MeetingId::parse(meeting);
    caption->offset = 1;
    caption->end_ms = 900;
    caption->speaker = {.key = "s1", .name = "Ann"};
    caption->text = text;
    std::promise<Status> stored;
    ASSERT_TRUE(database_->submit([&](storage::Session& session) {
      const std::vector<CaptionPtr> captions{caption};
      stored.set_value(storage::append_captions(session, captions));
    }));
    const Status status = stored.get_future().get();
    ASSERT_TRUE(status) << status.error().message;
  }

  Counters counters_;
  test::FakeClock clock_;
  AllowAll access_;
  Control control_;
  test::TemporaryDirectory recordings_;
  std::string authorization_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<MeetingsApi> api_;
  std::unique_ptr<SpeakersApi> speakers_;
  std::unique_ptr<Router> router_;
};

std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

const std::string kNobody = "00000000-0000-4000-8000-000000000000";

TEST_F(Meetings, AreMadeAndFoundAgain) {
  const HttpResponse made =
      ask("POST", "/api/meetings", R"({"title":"Plan","glossary":["Qylon"]})");
  EXPECT_EQ(made.status, 201);
  EXPECT_NE(made.body.find(R"("title":"Plan","state":"created","glossary":["Qylon"])"),
            std::string::npos);
  const HttpResponse found = ask("GET", header_of(made, "Location"));
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.body, made.body);
}

TEST_F(Meetings, AreListedNewestFirstInPages) {
  const std::string first = created();
  const std::string second = created();
  const HttpResponse page = ask("GET", "/api/meetings?limit=1");
  EXPECT_NE(page.body.find(second), std::string::npos);
  EXPECT_EQ(page.body.find(first), std::string::npos);
  EXPECT_NE(page.body.find("\"next\":\"" + second + "\""), std::string::npos);
  const HttpResponse rest = ask("GET", "/api/meetings?before=" + second);
  EXPECT_NE(rest.body.find(first), std::string::npos);
  EXPECT_EQ(rest.body.find(second), std::string::npos);
}

TEST_F(Meetings, AreExportedInEveryFormat) {
  const std::string id = created(R"({"title":"Plan"})");
  store(id, "hello world");
  for (const std::string format : {"txt", "srt", "vtt", "json", "csv", "rttm"}) {
    const HttpResponse file = ask("GET", "/api/meetings/" + id + "/export?format=" + format);
    EXPECT_EQ(file.status, 200) << file.body;
    EXPECT_NE(file.body.find(format == "rttm" ? id : "hello world"), std::string::npos) << format;
    EXPECT_NE(file.body.find("Ann"), std::string::npos) << format;
    EXPECT_NE(header_of(file, "Content-Disposition").find("plan-"), std::string::npos);
  }
}

TEST_F(Meetings, EndOnceAndStayEnded) {
  const std::string id = created();
  const HttpResponse ended = ask("POST", "/api/meetings/" + id + "/end");
  EXPECT_EQ(ended.status, 200);
  EXPECT_NE(ended.body.find(R"("state":"ended")"), std::string::npos);
  EXPECT_EQ(ask("POST", "/api/meetings/" + id + "/end").body, ended.body);
  EXPECT_EQ(ask("GET", "/api/meetings/" + id).body, ended.body);
}

TEST_F(Meetings, AnswerAnEndThatTakesLongWith202AndEndAllTheSame) {
  const std::string id = created();
  control_.hold();
  auto answer = start("POST", "/api/meetings/" + id + "/end");
  control_.await();
  clock_.advance_ms(20'000);
  const HttpResponse ending = answer.get();
  EXPECT_EQ(ending.status, 202);
  EXPECT_NE(ending.body.find(R"("state":"ending")"), std::string::npos);

  control_.finish(ok());
  EXPECT_NE(ask("POST", "/api/meetings/" + id + "/end").body.find(R"("state":"ended")"),
            std::string::npos);
}

TEST_F(Meetings, SayWhyAnEndFailed) {
  const std::string id = created();
  control_.hold();
  auto answer = start("POST", "/api/meetings/" + id + "/end");
  control_.await();
  control_.finish(Error{ErrorCode::kOverloaded, "the shard is full"});
  const HttpResponse failed = answer.get();
  EXPECT_EQ(failed.status, 503);
  EXPECT_EQ(header_of(failed, "Retry-After"), "1");
}

TEST_F(Meetings, GiveRecordingsThatAreThere) {
  const std::string id = created();
  const std::string path = "/api/meetings/" + id + "/tracks/3/audio";
  EXPECT_EQ(ask("GET", path).status, 404);
  std::filesystem::create_directories(recordings_.path() + "/" + id);
  std::ofstream(recordings_.path() + "/" + id + "/3.opus") << "OggS";
  const HttpResponse audio = ask("GET", path);
  EXPECT_EQ(audio.status, 200);
  EXPECT_EQ(audio.file_path, recordings_.path() + "/" + id + "/3.opus");
  EXPECT_EQ(audio.content_type, "audio/ogg; codecs=opus");
  EXPECT_EQ(ask("GET", "/api/meetings/" + id + "/tracks").body, R"({"tracks":[]})");
}

TEST_F(Meetings, LoseRecordingsOnlyOnceTheyHaveEnded) {
  const std::string id = created();
  const std::string path = "/api/meetings/" + id + "/tracks/3/audio";
  const std::string file = recordings_.path() + "/" + id + "/3.opus";
  std::filesystem::create_directories(recordings_.path() + "/" + id);
  std::ofstream(file) << "OggS";
  EXPECT_EQ(ask("DELETE", path).status, 409);
  EXPECT_TRUE(std::filesystem::exists(file));
  ask("POST", "/api/meetings/" + id + "/end");
  EXPECT_EQ(ask("DELETE", path).status, 204);
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(ask("DELETE", path).status, 404);
  EXPECT_EQ(ask("GET", path).status, 404);
  storage::SqlValue told;
  EXPECT_TRUE(database_->transact_and_wait([&](storage::Sql& sql) {
    told = sql.value(
        "select data ->> 'track' from events where type = 'meeting.recording_deleted'"
        " and data ->> 'meeting' = $1",
        {id});
    return ok();
  }));
  EXPECT_EQ(told, "3");
}

TEST_F(Meetings, RefuseWhatTheyDoNotUnderstand) {
  struct Case {
    std::string method;
    std::string target;
    std::string body;
    int status;
    std::string detail;
  };
  const std::string id = created();
  const std::vector<Case> cases{
      {"GET", "/api/nothing", "", 404, "docs/PROTOCOL.md"},
      {"GET", "/api/meetings/" + kNobody, "", 404, ""},
      {"POST", "/api/meetings/" + kNobody + "/end", "", 404, ""},
      {"GET", "/api/meetings/" + kNobody + "/export?format=srt", "", 404, ""},
      {"GET", "/api/meetings/" + kNobody + "/tracks", "", 404, ""},
      {"GET", "/api/meetings/" + kNobody + "/tracks/0/audio", "", 404, ""},
      {"GET", "/api/meetings/12", "", 400, "UUID"},
      {"GET", "/api/meetings/" + id + "/tracks/x/audio", "", 400, "65535"},
      {"GET", "/api/meetings/" + id + "/tracks/65536/audio", "", 400, "65535"},
      {"GET", "/api/meetings/" + id + "/export?format=pdf", "", 400, "txt, srt"},
      {"GET", "/api/meetings/" + id + "/export", "", 400, "txt, srt"},
      {"GET", "/api/meetings?limit=0", "", 400, "1 to 200"},
      {"GET", "/api/meetings?limit=x", "", 400, "1 to 200"},
      {"GET", "/api/meetings?before=x", "", 400, "next"},
      {"POST", "/api/meetings", "{", 400, "JSON"},
      {"DELETE", "/api/meetings", "", 405, "POST, GET, HEAD"},
      {"GET", "/api/meetings/" + id + "/end", "", 405, "POST"}};
  for (const Case& wrong : cases) {
    const HttpResponse response = ask(wrong.method, wrong.target, wrong.body);
    EXPECT_EQ(response.status, wrong.status) << wrong.method << " " << wrong.target;
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_NE(response.body.find(wrong.detail), std::string::npos) << response.body;
  }
}

TEST_F(Meetings, AskForAccessBeforeAnythingElse) {
  authorization_ = "Bearer wrong";
  for (const std::string target : {"/api/meetings", "/api/meetings/12"}) {
    const HttpResponse response = ask("GET", target);
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(header_of(response, "WWW-Authenticate"), "Bearer");
  }
}

class Speakers : public Meetings {};

TEST_F(Speakers, AreListed) {
  const std::string id = created();
  store(id, "hello");
  EXPECT_EQ(ask("GET", "/api/meetings/" + id + "/speakers").body,
            R"({"speakers":[{"key":"s1","name":"Ann","provenance":"cluster"}],"hints":[]})");
  control_.hints = {{VoiceHint::Kind::kSwapped, {1, 2}}};
  EXPECT_EQ(ask("GET", "/api/meetings/" + id + "/speakers").body,
            R"({"speakers":[{"key":"s1","name":"Ann","provenance":"cluster"}],)"
            R"("hints":[{"kind":"swapped","tracks":[1,2]}]})");
  EXPECT_EQ(ask("GET", "/api/meetings/" + kNobody + "/speakers").status, 404);
}

TEST_F(Speakers, AreCorrectedByHand) {
  const std::string speakers = "/api/meetings/" + kNobody + "/speakers";
  EXPECT_EQ(ask("PUT", speakers + "/s1", R"({"name":"Ann"})").body, R"({"offset":101})");
  EXPECT_EQ(ask("POST", speakers + "/s2/merge", R"({"into":"s1"})").status, 200);
  EXPECT_EQ(ask("POST", speakers, R"({"name":"Ben","captions":[7,3,3]})").status, 200);
  EXPECT_EQ(ask("POST", speakers + "/s1/captions", R"({"captions":[4]})").status, 200);
  ASSERT_EQ(control_.corrections.size(), 4U);
  const auto& made = control_.corrections;
  EXPECT_EQ(made[0].kind, SpeakerChange::Kind::kRename);
  EXPECT_EQ(made[0].speaker.key, "s1");
  EXPECT_EQ(made[0].speaker.name, "Ann");
  EXPECT_EQ(made[0].speaker.provenance, Provenance::kManual);
  EXPECT_EQ(made[1].kind, SpeakerChange::Kind::kMerge);
  EXPECT_EQ(made[1].from, "s2");
  EXPECT_EQ(made[1].speaker.key, "s1");
  EXPECT_EQ(made[2].kind, SpeakerChange::Kind::kSplit);
  EXPECT_EQ(made[2].captions, (std::vector<std::uint64_t>{3, 7}));
  EXPECT_EQ(made[3].kind, SpeakerChange::Kind::kRelabel);
}

TEST_F(Speakers, RefuseWhatIsNotThatShape) {
  const std::string speakers = "/api/meetings/" + kNobody + "/speakers";
  EXPECT_EQ(ask("PUT", speakers + "/s1", R"({"name":""})").status, 400);
  EXPECT_EQ(ask("PUT", speakers + "/s1", R"({"name":"a\nb"})").status, 400);
  EXPECT_EQ(ask("PUT", speakers + "/s1", R"({"name":7})").status, 400);
  EXPECT_EQ(ask("PUT", speakers + "/s1", "[").status, 400);
  EXPECT_EQ(ask("POST", speakers, R"({"captions":[0]})").status, 400);
  EXPECT_EQ(ask("POST", speakers, R"({"captions":[-1]})").status, 400);
  EXPECT_EQ(ask("POST", speakers + "/s1/merge", "{}").status, 400);
  EXPECT_EQ(ask("DELETE", speakers + "/s1").status, 405);
  EXPECT_EQ(ask("PUT", "/api/meetings/x/speakers/s1", R"({"name":"Ann"})").status, 400);
  EXPECT_TRUE(control_.corrections.empty());
}

TEST_F(Speakers, AreCorrectedBack) {
  const std::string id = created();
  store(id, "hello");
  auto correction = std::make_shared<Caption>();
  correction->meeting = *MeetingId::parse(id);
  correction->offset = 2;
  correction->change = std::make_shared<const SpeakerChange>(
      SpeakerChange{SpeakerChange::Kind::kRelabel, {"s2", "Ben", Provenance::kManual, 1}, "", {1}});
  std::promise<Status> stored;
  ASSERT_TRUE(database_->submit([&](storage::Session& session) {
    const std::vector<CaptionPtr> captions{correction};
    stored.set_value(storage::append_captions(session, captions));
  }));
  ASSERT_TRUE(stored.get_future().get());
  EXPECT_EQ(ask("POST", "/api/meetings/" + id + "/revisions/2/undo").body, R"({"offset":101})");
  ASSERT_EQ(control_.corrections.size(), 1U);
  EXPECT_EQ(control_.corrections[0].speaker.key, "s1");
  EXPECT_EQ(control_.corrections[0].captions, std::vector<std::uint64_t>{1});
  EXPECT_EQ(ask("POST", "/api/meetings/" + id + "/revisions/1/undo").status, 404);
  EXPECT_EQ(ask("POST", "/api/meetings/" + id + "/revisions/x/undo").status, 400);
}

}  // namespace
}  // namespace qylon::api
