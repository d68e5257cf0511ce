// What a meeting that has ended said: read by its job, shown over the routes, found by search.

#include <gtest/gtest.h>

#include "api/core/domain_jobs.hpp"
#include "api/domains/domains.hpp"
#include "api/domains/model_insights.hpp"
#include "storage/meeting_store.hpp"
#include "tests/support/http_standin.hpp"
#include "tests/support/json_calls.hpp"
#include "tests/support/polling.hpp"

namespace qylon::api {
namespace {

using Json = test::JsonCalls::Json;
using From = test::JsonCalls::From;

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

/// An organisation with a meeting, and a runner that does what its end leaves for later.
class MeetingInsightsTest : public testing::Test, protected test::JsonCalls {
 protected:
  MeetingInsightsTest() : MeetingInsightsTest(false) {}
  explicit MeetingInsightsTest(bool model)
      : JsonCalls(*kDatabase, all_domains()),
        org_(test::random_uuid()),
        owner_{test::make_member(*kDatabase, org_, "owner"), org_},
        meeting_(make_meeting("Planning")) {
    EXPECT_TRUE(add_domain_jobs(all_domains(model), {kDatabase->pool(), sagas_, runner_}));
    runner_.start();
  }

  void sql(const std::string& statement, const std::vector<storage::SqlValue>& values) const {
    const Status done =
        kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
          storage::Sql(transaction).run(statement, values);
          return ok();
        });
    EXPECT_TRUE(done) << done.error().message;
  }
  std::string make_meeting(const std::string& title) const {
    std::string id = test::random_uuid();
    sql("insert into meetings (id, epoch, title, org_id, state, started_at) values ($1::uuid, "
        "$1::uuid, $2,"
        " $3, 'live', '2026-03-04T10:00:00Z')",
        {id, title, org_});
    sql("insert into speakers (meeting, key, name, provenance) values ($1, 't0', 'Ann Lee', "
        "'track'),"
        " ($1, 't1', 'Bob', 'track')",
        {id});
    return id;
  }
  /// The next caption of a meeting.
  void say(const std::string& meeting,
           const std::string& speaker,
           const std::string& text,
           const std::string& language = "en") {
    const std::string offset = std::to_string(++said_);
    sql("insert into utterances (meeting, caption_offset, segment, revision, track, start_ms, "
        "end_ms,"
        " speaker_key, speaker_confidence, text, confidence, language, engine)"
        " values ($1, $2::bigint, $2::bigint, 1, 0, $2::bigint * 1000, $2::bigint * 1000 + 900, "
        "$3, 1, $4, 1, $5,"
        " 'test')",
        {meeting, offset, speaker, text, language});
  }
  void end(const std::string& meeting) const {
    const auto ended = kDatabase->run<Result<MeetingInfo>>([&](storage::Session& session) {
      return storage::set_meeting_state(session, *MeetingId::parse(meeting), MeetingState::kEnded);
    });
    EXPECT_TRUE(ended) << ended.error().message;
  }
  std::string path(const std::string& rest) const { return "/api/meetings/" + meeting_ + rest; }
  Json insights_of_the_end() {
    end(meeting_);
    EXPECT_TRUE(
        test::poll_until([&] { return send(owner_, "GET", path("/insights")).status == 200; }));
    return ask(200, owner_, "GET", path("/insights"));
  }
  Json found(const std::string& query) {
    return ask(200, owner_, "GET", "/api/search?q=" + query)["items"];
  }
  Json event(const std::string& stream) const {
    Json data;
    EXPECT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
      const auto rows =
          storage::Sql(tx).rows("select data from events where stream = $1 and org_id = $2",
                                {stream + ":" + meeting_, org_});
      EXPECT_EQ(rows.size(), 1U);
      if (!rows.empty()) data = Json::parse(rows[0][0].value_or(""));
      return ok();
    }));
    return data;
  }

  const std::string org_;
  const From owner_;
  const std::string meeting_;
  int said_ = 0;
  SystemClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  Sagas sagas_{kDatabase->pool()};
  JobRunner runner_{{.poll_ms = 20}, {kDatabase->pool(), clock_, log_, counters_}};
};

using EndedMeeting = MeetingInsightsTest;
using Search = MeetingInsightsTest;

TEST_F(EndedMeeting, HasItsActionItems) {
  say(meeting_, "t0", "Bob, could you please review the contract by Friday?");
  say(meeting_, "t1", "Sure. I'll send the figures tomorrow.");
  const Json items = insights_of_the_end()["action_items"];
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0]["text"], "Review the contract by Friday");
  EXPECT_EQ(items[0]["assignee"], "Bob");
  EXPECT_EQ(items[0]["due_on"], "2026-03-06");  // The meeting was on Wednesday, 4 March 2026.
  EXPECT_EQ(items[0]["start_ms"], 1000);
  EXPECT_EQ(items[1]["due_on"], "2026-03-05");
  EXPECT_EQ(items[1]["origin"], "transcript");
  EXPECT_EQ(
      ask(200, owner_, "GET", "/api/meeting_action_items?due_on=lt.2026-03-06")["items"].size(),
      1U);
}

TEST_F(EndedMeeting, HasMoodsSummaryAndSpeakers) {
  say(meeting_, "t0", "The budget planning for the spring launch is great.");
  say(meeting_, "t1", "We decided to move the spring launch after the budget review.");
  const Json insights = insights_of_the_end();
  EXPECT_EQ(insights["summary"].size(), 2U);
  EXPECT_EQ(insights["decisions"][0]["offset"], 2);
  EXPECT_EQ(insights["keywords"], (Json{"budget", "launch", "spring"}));
  EXPECT_GT(insights["sentiment"], 0.0);
  EXPECT_EQ(insights["sentiments"].size(), 10U);
  EXPECT_EQ(insights["speakers"].size(), 2U);
  EXPECT_EQ(insights["engine"], "extractive");
}

TEST_F(EndedMeeting, TellsOnceThatItIsTranscribedAndRecorded) {
  say(meeting_, "t0", "Hello.");
  insights_of_the_end();
  EXPECT_EQ(event("transcript")["captions"], 1);
  ask(202, owner_, "POST", path("/insights"));
  EXPECT_TRUE(test::poll_until([&] {
    return kDatabase->run<bool>([&](storage::Session& session) {
      bool idle = false;
      static_cast<void>(session.transact([&](pqxx::transaction_base& transaction) {
        idle = storage::Sql(transaction)
                   .rows("select from jobs where kind = 'meeting.insights'")
                   .empty();
        return ok();
      }));
      return idle;
    });
  }));
  EXPECT_EQ(event("transcript")["captions"], 1);
  EXPECT_EQ(event("recording")["tracks"], 0);
}

TEST_F(EndedMeeting, IsReadAgainWithoutTouchingWhatPeopleChanged) {
  say(meeting_, "t0", "I'll send the figures. I will update the plan.");
  const Json items = insights_of_the_end()["action_items"];
  ASSERT_EQ(items.size(), 2U);
  const std::string first = items[0]["id"];
  ask(200, owner_, "PATCH", "/api/meeting_action_items/" + first, {{"status", "done"}});
  ask(201,
      owner_,
      "POST",
      "/api/meeting_action_items",
      {{"meeting_id", meeting_}, {"text", "Own"}});
  ask(202, owner_, "POST", path("/insights"));
  // What nobody touched is made anew, so its id tells when that is done.
  EXPECT_TRUE(test::poll_until([&] {
    const Json now = ask(200, owner_, "GET", path("/insights"))["action_items"];
    return now.size() == 3 && now[0]["id"] == first && now[0]["status"] == "done" &&
           now[1]["id"] != items[1]["id"] && now[1]["text"] == "Update the plan" &&
           now[2]["text"] == "Own";
  }));
}

TEST_F(EndedMeeting, HasItsTranscriptionsPageByPage) {
  say(meeting_, "t0", "One.");
  say(meeting_, "t1", "Two.");
  say(meeting_, "t0", "Three.");
  sql("update utterances set label_key = 't1' where meeting = $1 and caption_offset = 3",
      {meeting_});
  const Json first = ask(200, owner_, "GET", path("/transcriptions?limit=2"));
  ASSERT_EQ(first["items"].size(), 2U);
  EXPECT_EQ(first["items"][0]["text"], "One.");
  EXPECT_EQ(first["items"][0]["speaker"], "Ann Lee");
  EXPECT_EQ(first["items"][0]["start_ms"], 1000);
  const std::string next = std::to_string(first["next"].get<int>());
  const Json last = ask(200, owner_, "GET", path("/transcriptions?limit=2&after=" + next));
  ASSERT_EQ(last["items"].size(), 1U);
  EXPECT_EQ(last["items"][0]["speaker"], "Bob");  // Corrected since.
  EXPECT_TRUE(last["next"].is_null());
  for (const char* query : {"?limit=0", "?limit=1001", "?after=x", "?after=-1"})
    ask(400, owner_, "GET", path("/transcriptions") + query);
}

TEST_F(EndedMeeting, HasItsParticipants) {
  sql("insert into participants (meeting, key, name) values ($1, 't0', 'Ann Lee')", {meeting_});
  const Json items = ask(200, owner_, "GET", path("/participants"))["items"];
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0]["name"], "Ann Lee");
}

TEST_F(EndedMeeting, IsShownToItsOrganisationOnly) {
  say(meeting_, "t0", "I'll send the figures.");
  insights_of_the_end();
  const std::string other = test::random_uuid();
  const From stranger{test::make_member(*kDatabase, other, "owner"), other};
  const From viewer{test::make_member(*kDatabase, org_, "viewer"), org_};
  for (const char* rest : {"/insights", "/status", "/transcriptions", "/participants"}) {
    ask(200, viewer, "GET", path(rest));
    ask(404, stranger, "GET", path(rest));
    ask(401, {}, "GET", path(rest));
  }
  ask(404, viewer, "POST", path("/insights"));
  EXPECT_EQ(ask(200, stranger, "GET", "/api/search?q=figures")["items"], Json::array());
  EXPECT_EQ(ask(200, {stranger.token, org_}, "GET", "/api/search?q=figures")["items"],
            Json::array());
}

TEST_F(EndedMeeting, HasAStatusFromItsBeginning) {
  say(meeting_, "t0", "Hello.");
  const Json live = ask(200, owner_, "GET", path("/status"));
  EXPECT_EQ(live["state"], "live");
  EXPECT_EQ(live["captions"], 1);
  EXPECT_EQ(live["until_ms"], 1900);
  EXPECT_EQ(live["insights"], false);
  insights_of_the_end();
  EXPECT_EQ(ask(200, owner_, "GET", path("/status"))["insights"], true);
}

/// The same with a language model, which answers as the test says.
class ReadByAModel : public MeetingInsightsTest {
 protected:
  ReadByAModel() : MeetingInsightsTest(true) {
    auto model = LanguageModel::create(
        {.base_url = standin_.url("/v1"), .model = "small", .key = "operators"}, clock_, counters_);
    EXPECT_TRUE(model);
    insights_ = std::make_unique<ModelInsights>(*std::move(model), vault_, kDatabase->pool());
    reader_.handle(std::string(kModelInsights), insights_->handler());
    reader_.start();
  }

  /// Waits until the job of the model is over in one way or the other.
  std::string job_state() const {
    std::string state = "done";
    EXPECT_TRUE(test::poll_until([&] {
      const auto rows = kDatabase->rows(
          "select state from jobs where kind = 'meeting.insights.model' and org_id = '" + org_ +
          "'");
      state = rows.empty() ? "done" : rows[0][0].value_or("");
      return asked_ > 0 && state != "pending" && state != "processing";
    }));
    return state;
  }

  const Vault vault_{MasterKeys({SealKey::random()})};
  std::atomic<int> asked_{0};
  std::atomic<int> status_{200};
  std::string request_;
  std::string content_ = R"({"summary":[{"offset":1,"text":"Figures will come."}],"decisions":[],)"
                         R"("action_items":[{"offset":1,"text":"Mail the figures",)"
                         R"("assignee":"Ann Lee"}],"keywords":["figures"],"sentiment":0.5})";
  test::HttpStandin standin_{[this](const std::string& request, int) {
    request_ = request;
    ++asked_;
    return test::HttpStandin::answer(
        status_, Json{{"choices", {{{"message", {{"content", content_}}}}}}}.dump());
  }};
  std::unique_ptr<ModelInsights> insights_;
  JobRunner reader_{{.poll_ms = 20}, {kDatabase->pool(), clock_, log_, counters_}};
};

TEST_F(ReadByAModel, HasWhatTheModelFound) {
  say(meeting_, "t0", "I'll send the figures.");
  insights_of_the_end();
  EXPECT_EQ(job_state(), "done");
  const Json insights = ask(200, owner_, "GET", path("/insights"));
  EXPECT_EQ(insights["engine"], "small");
  EXPECT_EQ(insights["summary"][0]["text"], "Figures will come.");
  ASSERT_EQ(insights["action_items"].size(), 1U);
  EXPECT_EQ(insights["action_items"][0]["text"], "Mail the figures");
  EXPECT_EQ(insights["speakers"][0]["talk_ms"], 900);
  EXPECT_NE(request_.find("I'll send the figures."), std::string::npos);
  EXPECT_NE(request_.find("Bearer operators"), std::string::npos);
}

TEST_F(ReadByAModel, KeepsWhatWasFoundWithoutOneThatFailsForGood) {
  status_ = 401;
  say(meeting_, "t0", "I'll send the figures.");
  insights_of_the_end();
  EXPECT_EQ(job_state(), "dead_letter");
  const Json insights = ask(200, owner_, "GET", path("/insights"));
  EXPECT_EQ(insights["engine"], "extractive");
  EXPECT_EQ(insights["action_items"][0]["text"], "Send the figures");
}

TEST_F(ReadByAModel, IsTriedAgainAfterAnAnswerThatSaysNothing) {
  content_ = "I cannot help with that.";
  say(meeting_, "t0", "I'll send the figures.");
  insights_of_the_end();
  EXPECT_EQ(job_state(), "scheduled");
  EXPECT_EQ(ask(200, owner_, "GET", path("/insights"))["engine"], "extractive");
}

TEST_F(ReadByAModel, UsesTheOrganisationsOwnKey) {
  EXPECT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
    storage::Sql sql(tx);
    return vault_.put(sql, {org_, std::string(kModelKeySecret)}, "theirs");
  }));
  say(meeting_, "t0", "I'll send the figures.");
  insights_of_the_end();
  EXPECT_EQ(job_state(), "done");
  EXPECT_NE(request_.find("Bearer theirs"), std::string::npos);
}

TEST_F(Search, FindsWordsInTheirFormsWithTimesAndSpeakers) {
  say(meeting_, "t0", "We are reviewing the contracts.");
  say(meeting_, "t1", "Lunch was good.");
  const Json items = found("contract review");
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0]["meeting"], meeting_);
  EXPECT_EQ(items[0]["start_ms"], 1000);
  EXPECT_EQ(items[0]["speaker"], "Ann Lee");
  EXPECT_NE(std::string(items[0]["snippet"]).find("«contracts»"), std::string::npos);
  EXPECT_EQ(found("contract -review").size(), 0U);
  EXPECT_EQ(found("\"the contracts\"").size(), 1U);
  EXPECT_EQ(found("lunch or contract").size(), 2U);
}

TEST_F(Search, KeepsOtherLanguagesWordsAsTheyAre) {
  say(meeting_, "t0", "Wir lesen die Verträge.", "de");
  EXPECT_EQ(found("verträge").size(), 1U);
  EXPECT_EQ(found("vertrag").size(), 0U);
}

TEST_F(Search, RanksTheBestFirstAndIsBounded) {
  const std::string other = make_meeting("Other");
  say(meeting_, "t0", "Budget is one of many words in this rather long sentence about lunch.");
  say(other, "t0", "Budget, budget, budget.");
  EXPECT_EQ(found("budget")[0]["meeting"], other);
  EXPECT_EQ(ask(200, owner_, "GET", "/api/search?q=budget&limit=1")["items"].size(), 1U);
  EXPECT_EQ(ask(200, owner_, "GET", "/api/search?q=budget&meeting=" + meeting_)["items"].size(),
            1U);
  for (const char* query : {"other=1", "q=", "q=a&limit=0", "q=a&limit=101", "q=a&meeting=x"})
    ask(400, owner_, "GET", std::string("/api/search?") + query);
}

}  // namespace
}  // namespace qylon::api
