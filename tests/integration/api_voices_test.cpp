// Enrolled voices over the routes and a real PostgreSQL: lent with consent, recognised where they
// were lent, erased with a receipt or by their expiry.

#include <gtest/gtest.h>

#include "api/voices.hpp"
#include "storage/enrolled_voices.hpp"
#include "storage/meeting_store.hpp"
#include "tests/support/platform_calls.hpp"

namespace qylon::api {
namespace {

using storage::Sql;
using test::PlatformCalls;

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

constexpr const char* kConsent =
    R"({"name":"Ann","consent":{"by":"Ann Norland","text":"voices-1"}})";
/// "RIFF" in base64: what it sounds like says the test.
constexpr const char* kClip =
    R"({"name":"Ann","consent":{"by":"Ann Norland","text":"voices-1"},"clip":"UklGRg=="})";

class Voices : public testing::Test {
 protected:
  Voices() : admin_{test::make_member(*kDatabase, org_, "admin"), org_} {
    calls_.add(voice_routes({calls_.jobs(), "m1", [this](std::string_view wav) {
                               EXPECT_EQ(wav, "RIFF");
                               return Result<ClipVoice>(heard_);
                             }}));
  }

  /// A meeting of the organisation with speaker s1, "Speaker 1", who was heard in `windows`.
  MeetingId make_meeting(float windows) const {
    const MeetingId meeting = MeetingId::random();
    const Status made =
        kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
          Sql sql(transaction);
          const std::string id = meeting.to_string();
          sql.run("insert into meetings (id, epoch, org_id, title) values ($1, $1, $2, '')",
                  {id, org_});
          sql.run(
              "insert into speakers (meeting, key, name, provenance)"
              " values ($1, 's1', 'Speaker 1', 'cluster')",
              {id});
          return ok();
        });
    EXPECT_TRUE(made) << made.error().message;
    const std::vector<storage::VoiceRow> voices{{"s1", {0.6F, 0.8F}, windows}};
    EXPECT_TRUE(kDatabase->run<Status>([&](storage::Session& session) {
      return storage::save_voices(session, meeting, "m1", voices);
    }));
    return meeting;
  }
  static std::vector<storage::VoiceRow> known_to(MeetingId meeting, std::string_view model = "m1") {
    auto loaded =
        kDatabase->run<Result<std::vector<storage::VoiceRow>>>([&](storage::Session& session) {
          return storage::load_enrolled_voices(session, meeting, model);
        });
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded ? *loaded : std::vector<storage::VoiceRow>{};
  }
  static std::string ask(const std::string& statement, const std::string& value) {
    std::string answer;
    EXPECT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
      answer = Sql(tx).value(statement, {value}).value_or("null");
      return ok();
    }));
    return answer;
  }
  static std::string id_in(const HttpResponse& response) {
    const std::size_t at = response.body.find("\"id\": \"");
    EXPECT_NE(at, std::string::npos) << response.body;
    return at == std::string::npos ? "" : response.body.substr(at + 7, 36);
  }
  std::string enrol_clip(const PlatformCalls::From& from) {
    const HttpResponse made = calls_.send(from, "POST", "/api/voices", kClip);
    EXPECT_EQ(made.status, 201) << made.body;
    return id_in(made);
  }

  const std::string org_ = test::random_uuid();
  const PlatformCalls::From admin_;
  ClipVoice heard_{{1.0F, 0.0F}, 20};
  PlatformCalls calls_{*kDatabase, std::span<const Domain>{}};
};

TEST_F(Voices, OfAMeetingsSpeakerIsKnownInTheOrganisationsMeetings) {
  const MeetingId meeting = make_meeting(40);
  const HttpResponse made = calls_.send(
      admin_, "POST", "/api/meetings/" + meeting.to_string() + "/speakers/s1/enrol", kConsent);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_NE(made.body.find("\"by\": \"Ann Norland\""), std::string::npos) << made.body;
  EXPECT_EQ(made.body.find("centroid"), std::string::npos);
  const auto known = known_to(make_meeting(1));
  ASSERT_EQ(known.size(), 1U);
  EXPECT_EQ(known[0].key, "Ann");
  EXPECT_EQ(known[0].centroid, (std::vector<float>{0.6F, 0.8F}));
  EXPECT_TRUE(known_to(meeting, "other weights").empty());
}

TEST_F(Voices, OfAClipAreListedWithTheirConsent) {
  enrol_clip(admin_);
  const HttpResponse listed = calls_.send(admin_, "GET", "/api/voices");
  EXPECT_EQ(listed.status, 200);
  EXPECT_NE(listed.body.find("\"text\": \"voices-1\""), std::string::npos) << listed.body;
  EXPECT_NE(listed.body.find("\"source\": \"clip\""), std::string::npos) << listed.body;
}

TEST_F(Voices, AreNotSeenByAnotherOrganisation) {
  const std::string id = enrol_clip(admin_);
  const std::string other = test::random_uuid();
  const PlatformCalls::From stranger{test::make_member(*kDatabase, other, "owner"), other};
  EXPECT_EQ(calls_.send(stranger, "GET", "/api/voices").body, R"({"voices": []})");
  EXPECT_EQ(calls_.send(stranger, "DELETE", "/api/voices/" + id).status, 404);
  EXPECT_EQ(known_to(make_meeting(1)).size(), 1U);
}

TEST_F(Voices, AreEnrolledByWhoMayWrite) {
  const PlatformCalls::From viewer{test::make_member(*kDatabase, org_, "viewer"), org_};
  EXPECT_EQ(calls_.send(viewer, "POST", "/api/voices", kClip).status, 403);
  EXPECT_EQ(calls_.send({}, "POST", "/api/voices", kClip).status, 401);
}

TEST_F(Voices, AreForgottenWithAReceipt) {
  const std::string id = enrol_clip(admin_);
  const HttpResponse gone = calls_.send(admin_, "DELETE", "/api/voices/" + id);
  ASSERT_EQ(gone.status, 200) << gone.body;
  for (const char* field : {"receipt", "forgotten_at", "sha256"})
    EXPECT_NE(gone.body.find(field), std::string::npos) << gone.body;
  EXPECT_EQ(ask("select count(*) from enrolled_voices where id = $1", id), "0");
  const std::string kept =
      ask("select detail::text from audit_log where action = 'voice.forgotten' and subject = $1",
          "voice:" + id);
  EXPECT_EQ(kept, gone.body);
  EXPECT_EQ(kept.find("Ann"), std::string::npos);
  EXPECT_EQ(calls_.send(admin_, "DELETE", "/api/voices/" + id).status, 404);
}

TEST_F(Voices, AreGoneAfterTheirExpiry) {
  const std::string id = enrol_clip(admin_);
  ask("update enrolled_voices set created_at = now() - interval '2 years',"
      " consent_at = now() - interval '2 years', expires_at = now() - interval '1 second'"
      " where id = $1 returning id",
      id);
  EXPECT_EQ(calls_.send(admin_, "GET", "/api/voices").body, R"({"voices": []})");
  EXPECT_TRUE(known_to(make_meeting(1)).empty());
  EXPECT_EQ(ask("select count(*) from enrolled_voices where id = $1", id), "0");
  EXPECT_EQ(ask("select action from audit_log where subject = $1 and action <> 'voice.enrolled'",
                "voice:" + id),
            "voice.expired");
}

TEST_F(Voices, AskForConsentTimesAndSpeech) {
  const auto status = [&](const std::string& body) {
    return calls_.send(admin_, "POST", "/api/voices", body).status;
  };
  EXPECT_EQ(status(R"({"name":"Ann","clip":"UklGRg=="})"), 400);
  EXPECT_EQ(status(kConsent), 400);  // No clip.
  const std::string until =
      R"({"name":"Ann","consent":{"by":"A","text":"1"},"clip":"UklGRg==","expires_at":)";
  EXPECT_EQ(status(until + R"("2000-01-01T00:00:00Z"})"), 400);
  EXPECT_EQ(status(until + R"("2000-13-01T00:00:00Z"})"), 400);
  EXPECT_EQ(status(until + R"("tomorrow"})"), 400);
  heard_.weight = 4;
  EXPECT_EQ(status(kClip), 409);
  const std::string speakers = "/api/meetings/" + make_meeting(4).to_string() + "/speakers/";
  EXPECT_EQ(calls_.send(admin_, "POST", speakers + "s1/enrol", kConsent).status, 409);
  EXPECT_EQ(calls_.send(admin_, "POST", speakers + "s9/enrol", kConsent).status, 404);
}

}  // namespace
}  // namespace qylon::api
