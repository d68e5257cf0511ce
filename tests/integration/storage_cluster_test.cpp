// A real PostgreSQL in a temporary directory, and what happens to it when processes are killed.
// Run with --own-cluster DIR [USER] the program itself is the server that gets killed.

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "storage/caption_writer.hpp"
#include "storage/database.hpp"
#include "storage/meeting_store.hpp"
#include "storage/migrations.hpp"
#include "storage/private_cluster.hpp"
#include "storage/speaker_store.hpp"
#include "tests/support/polling.hpp"
#include "tests/support/temporary_directory.hpp"

/// libpqxx 6.4.5 drops the answer of a statement whose connection breaks under it: 2 KB an outage.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "leak:PQmakeEmptyPGresult\n";
}

namespace qylon::storage {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

const SystemClock kClock;
const Log kLog(kClock, LogLevel::kError);

PrivateCluster::Options options_in(const std::string& directory) {
  PrivateCluster::Options options;
  options.data_dir = directory;
  return options;
}

/// Runs `job` on a database thread and returns what it returned.
template <typename T>
T run(Database& database, std::function<T(Session&)> job) {
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  EXPECT_TRUE(database.submit(
      [promise, job = std::move(job)](Session& session) { promise->set_value(job(session)); }));
  return future.get();
}

/// Ended, and perhaps not reaped: it is process 1 that must do that, and not every one does.
bool has_ended(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string number;
  std::string name;
  std::string state;
  return !(file >> number >> name >> state) || state == "Z";
}

/// One cluster for all tests that only need a database.
class Shared : public testing::Environment {
 public:
  void SetUp() override {
    const auto start = steady_clock::now();
    auto started = PrivateCluster::start(options_in(directory_.path()), kLog);
    ASSERT_TRUE(started) << started.error().message;
    cluster = std::move(*started);
    first_start = std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
    const auto report = migrate(cluster->owner_url(), kLog);
    ASSERT_TRUE(report) << report.error().message;
    first_report = *report;
    Database::Options options;
    options.url = cluster->url();
    auto opened = Database::open(options, kLog, counters, kClock);
    ASSERT_TRUE(opened) << opened.error().message;
    database = std::move(*opened);
  }
  void TearDown() override {
    database.reset();
    cluster.reset();
  }

  std::unique_ptr<PrivateCluster> cluster;
  std::unique_ptr<Database> database;
  Counters counters;
  MigrationReport first_report;
  milliseconds first_start{};

 private:
  test::TemporaryDirectory directory_{test::memory_directory()};
};
Shared* shared = nullptr;

template <typename T>
T run(std::function<T(Session&)> job) {
  return run<T>(*shared->database, std::move(job));
}

MeetingInfo new_meeting(const std::string& title = "Stand-up") {
  const auto created = run<Result<MeetingInfo>>([&](Session& session) {
    return create_meeting(session, {title, {"Qylon", "O\"Neil\\"}});
  });
  EXPECT_TRUE(created) << created.error().message;
  return *created;
}

CaptionPtr caption(MeetingId meeting, std::uint64_t offset, const std::string& text = "good day") {
  auto result = std::make_shared<Caption>();
  result->meeting = meeting;
  result->offset = offset;
  result->segment = offset + 10;
  result->revision = 3;
  result->track = 1;
  result->start_ms = static_cast<std::int64_t>(offset) * 1000;
  result->end_ms = result->start_ms + 900;
  result->speaker = {"s1", "Ann", Provenance::kEnrolled, 0.5F};
  result->text = text;
  result->words = {{"good", result->start_ms, result->start_ms + 400, 0.75F},
                   {"day", result->start_ms + 500, result->end_ms, 0.25F}};
  result->confidence = 0.5F;
  result->language = "en";
  result->engine = "pocketsphinx";
  return result;
}

Status append(const std::vector<CaptionPtr>& captions) {
  return run<Status>([&](Session& session) { return append_captions(session, captions); });
}
Result<std::vector<Caption>> load(MeetingId meeting, std::uint64_t after, std::size_t limit) {
  return run<Result<std::vector<Caption>>>(
      [&](Session& session) { return load_captions(session, meeting, after, limit); });
}

TEST(PrivateCluster, FirstStartIsFastEnoughToWaitFor) {
  // Three seconds on an idle machine; tests share theirs.
  EXPECT_LT(shared->first_start, milliseconds(15'000));
  RecordProperty("first_start_ms", static_cast<int>(shared->first_start.count()));
}

TEST(PrivateCluster, ListensOnNoTcpPort) {
  const std::string command = "test -z \"$(psql -Atq '" + shared->cluster->owner_url() +
                              "' -c 'show listen_addresses' || echo failed)\"";
  EXPECT_EQ(std::system(command.c_str()), 0);  // NOLINT(cert-env33-c)
}

TEST(PrivateCluster, LetsNobodyElseIn) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  const std::string command = "setpriv --reuid=65534 --clear-groups psql '" +
                              shared->cluster->url() + "' -c 'select 1' >/dev/null 2>&1";
  EXPECT_NE(std::system(command.c_str()), 0);  // NOLINT(cert-env33-c)
}

TEST(Migrations, ApplyOnceAndAreThenLeftAlone) {
  EXPECT_EQ(shared->first_report.applied, embedded_migrations().size());
  const auto again = migrate(shared->cluster->owner_url(), kLog);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->applied, 0U);
}

TEST(Migrations, RefuseAFileThatChangedAfterItWasApplied) {
  std::vector<Migration> changed(embedded_migrations().begin(), embedded_migrations().end());
  changed[0].sha256 = "00";
  const auto report = migrate(shared->cluster->owner_url(), changed, kLog);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kConflict);
  EXPECT_NE(report.error().message.find("0001_meetings"), std::string::npos);
}

TEST(Migrations, AFailedFileLeavesNothingBehind) {
  std::vector<Migration> with_bad(embedded_migrations().begin(), embedded_migrations().end());
  const int number = static_cast<int>(with_bad.size()) + 1;
  with_bad.push_back({number, "9999_bad", "aa", "create table half (a integer); select 1/0;"});
  EXPECT_FALSE(migrate(shared->cluster->owner_url(), with_bad, kLog));
  with_bad.back().sql = "create table half (a integer); drop table half; select 1;";
  with_bad.back().sha256 = "bb";
  EXPECT_TRUE(migrate(shared->cluster->owner_url(), with_bad, kLog));
  // The next start has no such file: a newer database is taken as it is.
  EXPECT_TRUE(migrate(shared->cluster->owner_url(), kLog));
}

TEST(Migrations, TheServerRoleOwnsNothing) {
  const std::string query = "psql -Atq '" + shared->cluster->url() +
                            "' -c 'delete from utterances' >/dev/null 2>&1 || "
                            "psql -Atq '" +
                            shared->cluster->url() + "' -c 'drop table meetings' >/dev/null 2>&1";
  EXPECT_NE(std::system(query.c_str()), 0);  // NOLINT(cert-env33-c)
}

TEST(MeetingStore, AMeetingRoundTrips) {
  const MeetingInfo created = new_meeting("Grüße");
  const auto found =
      run<Result<MeetingInfo>>([&](Session& session) { return find_meeting(session, created.id); });
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->epoch, created.epoch);
  EXPECT_EQ(found->title, "Grüße");
  EXPECT_EQ(found->state, MeetingState::kCreated);
  EXPECT_EQ(found->glossary, (std::vector<std::string>{"Qylon", "O\"Neil\\"}));
  EXPECT_NEAR(static_cast<double>(found->created_us), static_cast<double>(kClock.wall_us()), 60e6);
  EXPECT_FALSE(found->started_us);
  EXPECT_FALSE(found->ended_us);
}

TEST(MeetingStore, AnUnknownMeetingIsNotFound) {
  const auto found = run<Result<MeetingInfo>>(
      [](Session& session) { return find_meeting(session, MeetingId::random()); });
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
}

TEST(MeetingStore, ATitleThatIsTooLongIsRefused) {
  const auto created = run<Result<MeetingInfo>>([](Session& session) {
    return create_meeting(session, {std::string(501, 'x'), {}});
  });
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, ErrorCode::kInvalidArgument);
}

TEST(MeetingStore, MeetingsAreListedNewestFirstPageByPage) {
  const MeetingInfo a = new_meeting("a");
  const MeetingInfo b = new_meeting("b");
  const MeetingInfo c = new_meeting("c");
  const auto first = run<Result<std::vector<MeetingInfo>>>(
      [](Session& session) { return list_meetings(session, 2); });
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_EQ(first->size(), 2U);
  EXPECT_EQ((*first)[0].id, c.id);
  EXPECT_EQ((*first)[1].id, b.id);
  const auto second = run<Result<std::vector<MeetingInfo>>>(
      [&](Session& session) { return list_meetings(session, 1, b.id); });
  ASSERT_TRUE(second) << second.error().message;
  ASSERT_EQ(second->size(), 1U);
  EXPECT_EQ((*second)[0].id, a.id);
}

TEST(MeetingStore, StatesStampTheirTimesAndEndForGood) {
  const MeetingInfo created = new_meeting();
  const auto set = [&](MeetingState state) {
    return run<Result<MeetingInfo>>(
        [&](Session& session) { return set_meeting_state(session, created.id, state); });
  };
  const auto live = set(MeetingState::kLive);
  ASSERT_TRUE(live) << live.error().message;
  EXPECT_TRUE(live->started_us);
  EXPECT_FALSE(live->ended_us);
  const auto again = set(MeetingState::kLive);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->started_us, live->started_us);
  const auto ended = set(MeetingState::kEnded);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->state, MeetingState::kEnded);
  EXPECT_TRUE(ended->ended_us);
  const auto twice = set(MeetingState::kEnded);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, ErrorCode::kConflict);
}

TEST(MeetingStore, TracksRoundTripAndTheNewerRowWins) {
  const MeetingInfo meeting = new_meeting();
  TrackRow track{65535, "Room", "Ann", "opus", 48000, 1, ClockId::random(), -5};
  const auto save = [&] {
    return run<Status>([&](Session& session) { return save_track(session, meeting.id, track); });
  };
  ASSERT_TRUE(save());
  track.label = "Room 2";
  ASSERT_TRUE(save());
  const auto tracks = run<Result<std::vector<TrackRow>>>(
      [&](Session& session) { return load_tracks(session, meeting.id); });
  ASSERT_TRUE(tracks) << tracks.error().message;
  ASSERT_EQ(tracks->size(), 1U);
  const TrackRow& read = tracks->front();
  EXPECT_EQ(read.track, 65535);
  EXPECT_EQ(read.label, "Room 2");
  EXPECT_EQ(read.speaker, "Ann");
  EXPECT_EQ(read.codec, "opus");
  EXPECT_EQ(read.clock, track.clock);
  EXPECT_EQ(read.anchor_ms, -5);
}

TEST(MeetingStore, ParticipantsRoundTrip) {
  const MeetingInfo meeting = new_meeting();
  for (const char* name : {"An", "Ann"}) {
    ASSERT_TRUE(run<Status>([&](Session& session) {
      return save_participant(session, meeting.id, {"t1", name});
    }));
  }
  const auto rows = run<Result<std::vector<ParticipantRow>>>(
      [&](Session& session) { return load_participants(session, meeting.id); });
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().name, "Ann");
}

TEST(MeetingStore, CaptionsRoundTripWithWordsAndSpeaker) {
  const MeetingInfo meeting = new_meeting();
  const auto sent = caption(meeting.id, 1, "\"{back\\slash}\", NULL, 'quoted' Grüße 🎤");
  ASSERT_TRUE(append({sent}));
  const auto loaded = load(meeting.id, 0, 10);
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_EQ(loaded->size(), 1U);
  const Caption& read = loaded->front();
  EXPECT_EQ(read.meeting, meeting.id);
  EXPECT_EQ(read.offset, 1U);
  EXPECT_EQ(read.segment, 11U);
  EXPECT_EQ(read.revision, 3U);
  EXPECT_EQ(read.track, 1);
  EXPECT_EQ(read.start_ms, 1000);
  EXPECT_EQ(read.end_ms, 1900);
  EXPECT_EQ(read.speaker.key, "s1");
  EXPECT_EQ(read.speaker.name, "Ann");
  EXPECT_EQ(read.speaker.provenance, Provenance::kEnrolled);
  EXPECT_FLOAT_EQ(read.speaker.confidence, 0.5F);
  EXPECT_EQ(read.text, sent->text);
  EXPECT_FLOAT_EQ(read.confidence, 0.5F);
  EXPECT_EQ(read.language, "en");
  EXPECT_EQ(read.engine, "pocketsphinx");
  ASSERT_EQ(read.words.size(), 2U);
  EXPECT_EQ(read.words[1].text, "day");
  EXPECT_EQ(read.words[1].start_ms, 1500);
  EXPECT_FLOAT_EQ(read.words[1].confidence, 0.25F);
}

TEST(MeetingStore, AppendingTwiceChangesNothing) {
  const MeetingInfo meeting = new_meeting();
  ASSERT_TRUE(append({caption(meeting.id, 1, "first")}));
  ASSERT_TRUE(append({caption(meeting.id, 1, "second"), caption(meeting.id, 2)}));
  const auto loaded = load(meeting.id, 0, 10);
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->size(), 2U);
  EXPECT_EQ((*loaded)[0].text, "first");
  EXPECT_EQ((*loaded)[0].words.size(), 2U);
  const auto last = run<Result<std::uint64_t>>(
      [&](Session& session) { return last_offset(session, meeting.id); });
  ASSERT_TRUE(last);
  EXPECT_EQ(*last, 2U);
}

TEST(MeetingStore, OneBatchMaySpanMeetings) {
  const MeetingInfo a = new_meeting();
  const MeetingInfo b = new_meeting();
  ASSERT_TRUE(append({caption(a.id, 1), caption(b.id, 1), caption(a.id, 2)}));
  EXPECT_EQ(load(a.id, 0, 10)->size(), 2U);
  EXPECT_EQ(load(b.id, 0, 10)->size(), 1U);
}

TEST(MeetingStore, CaptionsArePagedByOffset) {
  const MeetingInfo meeting = new_meeting();
  std::vector<CaptionPtr> captions;
  for (std::uint64_t offset = 1; offset <= 5; ++offset)
    captions.push_back(caption(meeting.id, offset));
  ASSERT_TRUE(append(captions));
  const auto page = load(meeting.id, 2, 2);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->size(), 2U);
  EXPECT_EQ(page->front().offset, 3U);
  EXPECT_EQ(page->back().offset, 4U);
  EXPECT_EQ(page->back().words.size(), 2U);
}

TEST(MeetingStore, ACaptionOfNoMeetingIsNotFoundAndStoresNothing) {
  const MeetingInfo meeting = new_meeting();
  const Status status = append({caption(meeting.id, 1), caption(MeetingId::random(), 1)});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(load(meeting.id, 0, 10)->empty());
}

TEST(MeetingStore, BytesThatAreNotUtf8AreRefused) {
  const MeetingInfo meeting = new_meeting();
  const Status status = append({caption(meeting.id, 1, "\xFF")});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
}

TEST(MeetingStore, ATranscriptHoldsTheMeetingAndItsCaptions) {
  const MeetingInfo meeting = new_meeting("Review");
  ASSERT_TRUE(append({caption(meeting.id, 1), caption(meeting.id, 2)}));
  const auto transcript = run<Result<Transcript>>(
      [&](Session& session) { return load_transcript(session, meeting.id); });
  ASSERT_TRUE(transcript) << transcript.error().message;
  EXPECT_EQ(transcript->meeting.title, "Review");
  EXPECT_EQ(transcript->captions.size(), 2U);
}

CaptionPtr correction(MeetingId meeting, std::uint64_t offset, SpeakerChange change) {
  Caption caption;
  caption.meeting = meeting;
  caption.offset = offset;
  caption.change = std::make_shared<const SpeakerChange>(std::move(change));
  return std::make_shared<const Caption>(std::move(caption));
}

CaptionPtr said_by(MeetingId meeting, std::uint64_t offset, const std::string& key) {
  Caption said = *caption(meeting, offset);
  said.speaker = {key, "Speaker " + key, Provenance::kCluster, 0.5F};
  return std::make_shared<const Caption>(std::move(said));
}

/// Keys of a meeting's captions as they hold now.
std::vector<std::string> keys_now(MeetingId meeting) {
  const auto transcript =
      run<Result<Transcript>>([&](Session& session) { return load_transcript(session, meeting); });
  EXPECT_TRUE(transcript);
  std::vector<std::string> keys;
  for (const Caption& caption : transcript->captions)
    keys.push_back(caption.speaker.key);
  return keys;
}

using Kind = SpeakerChange::Kind;

TEST(SpeakerStore, CorrectionsChangeTheTranscriptButNotWhatWasPublished) {
  const MeetingInfo meeting = new_meeting();
  ASSERT_TRUE(append(
      {said_by(meeting.id, 1, "s1"),
       said_by(meeting.id, 2, "s2"),
       said_by(meeting.id, 3, "s3"),
       correction(meeting.id, 4, {Kind::kRelabel, {"s1", "x", Provenance::kManual, 1}, "", {2}}),
       correction(meeting.id, 5, {Kind::kMerge, {"s1", "x", {}, 1}, "s3", {}}),
       said_by(meeting.id, 6, "s2")}));
  EXPECT_EQ(keys_now(meeting.id), (std::vector<std::string>{"s1", "s1", "s1", "s2"}));
  const auto published = load(meeting.id, 0, 10);
  ASSERT_TRUE(published);
  ASSERT_EQ(published->size(), 6U);
  EXPECT_EQ((*published)[1].speaker.key, "s2");
  ASSERT_NE((*published)[3].change, nullptr);
  EXPECT_EQ((*published)[3].change->captions, std::vector<std::uint64_t>{2});
  EXPECT_EQ((*published)[4].change->from, "s3");
  const auto merged = run<Result<std::map<std::string, std::string>>>(
      [&](Session& session) { return load_merged_speakers(session, meeting.id); });
  ASSERT_TRUE(merged);
  EXPECT_EQ(*merged, (std::map<std::string, std::string>{{"s3", "s1"}}));
}

TEST(SpeakerStore, ARenamedSpeakerKeepsItsNameInCaptionsThatComeLater) {
  const MeetingInfo meeting = new_meeting();
  ASSERT_TRUE(append(
      {said_by(meeting.id, 1, "s1"),
       correction(meeting.id, 2, {Kind::kRename, {"s1", "Ann", Provenance::kManual, 1}, "", {}}),
       said_by(meeting.id, 3, "s1")}));
  const auto transcript = run<Result<Transcript>>(
      [&](Session& session) { return load_transcript(session, meeting.id); });
  ASSERT_TRUE(transcript);
  ASSERT_EQ(transcript->captions.size(), 2U);
  EXPECT_EQ(transcript->captions[0].speaker.name, "Ann");
  EXPECT_EQ(transcript->captions[1].speaker.name, "Ann");
}

TEST(SpeakerStore, ReadingTheJournalAgainUndoesNoLaterCorrection) {
  const MeetingInfo meeting = new_meeting();
  const auto first =
      correction(meeting.id, 2, {Kind::kRelabel, {"s2", "x", Provenance::kCluster, 1}, "", {1}});
  ASSERT_TRUE(append({said_by(meeting.id, 1, "s1"), first}));
  ASSERT_TRUE(append({correction(
      meeting.id, 3, {Kind::kRelabel, {"s3", "x", Provenance::kCluster, 1}, "", {1}})}));
  ASSERT_TRUE(append({said_by(meeting.id, 1, "s1"), first}));
  EXPECT_EQ(keys_now(meeting.id), std::vector<std::string>{"s3"});
}

TEST(SpeakerStore, VoicesRoundTripForTheModelThatMadeThem) {
  const MeetingInfo meeting = new_meeting();
  for (const float weight : {1.0F, 2.0F}) {
    ASSERT_TRUE(run<Status>([&](Session& session) {
      const std::vector<VoiceRow> voices{{"s1", {0.6F, -0.8F}, weight}};
      return save_voices(session, meeting.id, "m1", voices);
    }));
  }
  const auto load_of = [&](const char* model) {
    return run<Result<std::vector<VoiceRow>>>(
        [&](Session& session) { return load_voices(session, meeting.id, model); });
  };
  const auto voices = load_of("m1");
  ASSERT_TRUE(voices) << voices.error().message;
  ASSERT_EQ(voices->size(), 1U);
  EXPECT_EQ(voices->front().centroid, (std::vector<float>{0.6F, -0.8F}));
  EXPECT_FLOAT_EQ(voices->front().weight, 2);
  EXPECT_TRUE(load_of("m2")->empty());
}

TEST(MeetingStore, ATranscriptIsSummarisedWithoutItsCaptions) {
  const MeetingInfo meeting = new_meeting();
  ASSERT_TRUE(append({caption(meeting.id, 1), caption(meeting.id, 7)}));
  const auto summary = run<Result<TranscriptSummary>>(
      [&](Session& session) { return summarise_transcript(session, meeting.id); });
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->last_offset, 7U);
  EXPECT_EQ(summary->last_segment, 17U);
  EXPECT_EQ(summary->final_until_ms, (std::map<TrackId, std::int64_t>{{1, 7900}}));
  ASSERT_EQ(summary->speakers.size(), 1U);
  EXPECT_EQ(summary->speakers[0].name, "Ann");
  EXPECT_EQ(summary->speakers[0].provenance, Provenance::kEnrolled);
}

TEST(Database, RefusesJobsBeyondItsQueue) {
  Database::Options options;
  options.url = shared->cluster->url();
  options.connections = 1;
  options.jobs_max = 1;
  Counters counters;
  auto database = Database::open(options, kLog, counters, kClock);
  ASSERT_TRUE(database);
  std::promise<void> release;
  std::promise<void> running;
  auto released = release.get_future().share();
  ASSERT_TRUE((*database)->submit([&running, released](Session&) {
    running.set_value();
    released.wait();
  }));
  running.get_future().wait();
  EXPECT_TRUE((*database)->submit([](Session&) {}));
  EXPECT_FALSE((*database)->submit([](Session&) {}));
  EXPECT_EQ(counters.counter("qylon_db_jobs_refused_total", "").value(), 1U);
  release.set_value();
}

TEST(Database, FailsFastWhenNobodyListens) {
  test::TemporaryDirectory empty;
  Database::Options options;
  options.url = "host=" + empty.path() + " user=nobody dbname=none";
  Counters counters;
  auto database = Database::open(options, kLog, counters, kClock);
  ASSERT_TRUE(database);
  EXPECT_FALSE((*database)->healthy());
  const auto start = steady_clock::now();
  const auto listed = run<Result<std::vector<MeetingInfo>>>(
      **database, [](Session& session) { return list_meetings(session, 1); });
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, ErrorCode::kUnavailable);
  EXPECT_LT(steady_clock::now() - start, milliseconds(1000));
}

TEST(PrivateCluster, AKilledPostmasterIsReplacedAndTheDataIsThere) {
  const MeetingInfo meeting = new_meeting("survivor");
  const int before = shared->cluster->postmaster_pid();
  ASSERT_GT(before, 0);
  ASSERT_EQ(::kill(before, SIGKILL), 0);
  ASSERT_TRUE(test::poll_until(
      [&] {
        const int now = shared->cluster->postmaster_pid();
        return now != 0 && now != before && shared->database->healthy();
      },
      milliseconds(20'000)));
  EXPECT_TRUE(test::poll_until(
      [&] {
        return static_cast<bool>(run<Result<MeetingInfo>>(
            [&](Session& session) { return find_meeting(session, meeting.id); }));
      },
      milliseconds(5000)));
}

/// What `job` answers in the end. Backends outlive their killed postmaster for a moment, so that an
/// outage may begin after it seemed to be over.
template <typename T>
T lasting(const std::function<Result<T>()>& job) {
  Result<T> result = Error{};
  EXPECT_TRUE(
      test::poll_until([&] { return static_cast<bool>(result = job()); }, milliseconds(5000)));
  return result.value();
}

TEST(CaptionWriter, CarriesCaptionsAcrossAPostmastersDeath) {
  const MeetingInfo meeting = new_meeting("outage");
  Counters counters;
  CaptionWriter writer({}, {}, *shared->database, kLog, counters, kClock);
  for (std::uint64_t offset = 1; offset <= 50; ++offset) {
    if (offset == 20) {
      ::kill(shared->cluster->postmaster_pid(), SIGKILL);
    }
    writer.add(caption(meeting.id, offset));
  }
  std::promise<bool> flushed;
  writer.flush([&flushed](const Status& status) { flushed.set_value(static_cast<bool>(status)); });
  ASSERT_TRUE(flushed.get_future().get());
  const auto loaded =
      lasting<std::vector<Caption>>([&meeting] { return load(meeting.id, 0, 100); });
  ASSERT_EQ(loaded.size(), 50U);
  for (std::size_t i = 0; i < loaded.size(); ++i)
    EXPECT_EQ(loaded[i].offset, i + 1);
}

TEST(CaptionWriter, RowsWaitForTheDatabaseToo) {
  Counters counters;
  CaptionWriter writer({}, {}, *shared->database, kLog, counters, kClock);
  const auto meeting = lasting<MeetingInfo>([] {
    return run<Result<MeetingInfo>>([](Session& session) {
      return create_meeting(session, {"Stand-up", {}});
    });
  });
  ::kill(shared->cluster->postmaster_pid(), SIGKILL);
  writer.add_row([&meeting](Session& session) {
    const auto set = set_meeting_state(session, meeting.id, MeetingState::kLive, 1'000'000);
    return set ? ok() : Status(set.error());
  });
  std::promise<Status> stored;
  writer.flush([&stored](const Status& status) { stored.set_value(status); });
  EXPECT_TRUE(stored.get_future().get());
  const MeetingInfo found = lasting<MeetingInfo>([&meeting] {
    return run<Result<MeetingInfo>>(
        [&meeting](Session& session) { return find_meeting(session, meeting.id); });
  });
  EXPECT_EQ(found.state, MeetingState::kLive);
  EXPECT_EQ(found.started_us, 1'000'000);
}

TEST(Database, RecoversWhenItsBackendsAreEnded) {
  ASSERT_TRUE(test::poll_until([] { return shared->database->healthy(); }, milliseconds(5000)));
  // From another connection, as an operator would.
  const std::string command =
      "psql -Atq '" + shared->cluster->owner_url() +
      "' -c \"select pg_terminate_backend(pid) from pg_stat_activity where usename = 'qylon_app'\""
      " >/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);  // NOLINT(cert-env33-c)
  EXPECT_TRUE(test::poll_until(
      [] {
        return static_cast<bool>(run<Result<std::vector<MeetingInfo>>>(
            [](Session& session) { return list_meetings(session, 1); }));
      },
      milliseconds(2000)));
}

TEST(Database, CutsAConnectionThatHangsAlone) {
  Database::Options options;
  options.url = shared->cluster->url();
  options.connections = 1;
  options.statement_timeout_ms = 100;
  Counters counters;
  auto database = Database::open(options, kLog, counters, kClock);
  ASSERT_TRUE(database);
  const auto list = [](Session& session) { return list_meetings(session, 1); };
  ASSERT_TRUE(run<Result<std::vector<MeetingInfo>>>(**database, list));
  // All but those that answer heartbeats: the server lives.
  const std::string pids_of_backends = "psql -Atq '" + shared->cluster->owner_url() +
                                       "' -c \"select pid from pg_stat_activity where usename = "
                                       "'qylon_app' and query <> 'select 1'\""
                                       " | xargs kill -";
  ASSERT_EQ(std::system((pids_of_backends + "STOP").c_str()), 0);  // NOLINT(cert-env33-c)
  const auto start = steady_clock::now();
  const auto hung = run<Result<std::vector<MeetingInfo>>>(**database, list);
  EXPECT_LT(steady_clock::now() - start, milliseconds(5000));
  ASSERT_EQ(std::system((pids_of_backends + "CONT").c_str()), 0);  // NOLINT(cert-env33-c)
  ASSERT_FALSE(hung);
  EXPECT_EQ(hung.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(counters.counter("qylon_db_connections_cut_total", "").value(), 1U);
  // The others recover too, before the next test.
  EXPECT_TRUE(test::poll_until(
      [&] { return (*database)->healthy() && shared->database->healthy(); }, milliseconds(5000)));
}

/// This program again, as the server of `directory`; its postmaster's pid once that is ready.
struct Owner {
  pid_t pid = 0;
  int postmaster = 0;
  int input = -1;

  explicit Owner(const std::string& directory, const std::string& user = "") {
    int output[2];
    int stdin_pipe[2];
    EXPECT_EQ(::pipe2(output, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(stdin_pipe, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, stdin_pipe[0], 0);
    posix_spawn_file_actions_adddup2(&actions, output[1], 1);
    std::vector<std::string> words{"owner", "--own-cluster", directory, user};
    std::vector<char*> arguments;
    for (std::string& word : words)
      arguments.push_back(word.data());
    arguments.push_back(nullptr);
    EXPECT_EQ(::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, arguments.data(), environ),
              0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(output[1]);
    ::close(stdin_pipe[0]);
    input = stdin_pipe[1];
    std::FILE* lines = ::fdopen(output[0], "r");
    char line[64] = "";
    if (std::fgets(line, sizeof(line), lines) != nullptr) postmaster = std::atoi(line);  // NOLINT
    std::fclose(lines);
  }
  /// Closes its stdin, which ends it in order; its exit status.
  int finish() {
    ::close(input);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
  }
  void kill() {
    ::kill(pid, SIGKILL);
    finish();
  }
};

TEST(PrivateCluster, TheNextServerTakesOverAfterKillMinusNine) {
  test::TemporaryDirectory directory(test::memory_directory());
  Owner first(directory.path());
  ASSERT_GT(first.postmaster, 0);
  {
    const auto second = PrivateCluster::start(options_in(directory.path()), kLog);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  }
  first.kill();
  const auto start = steady_clock::now();
  const auto third = PrivateCluster::start(options_in(directory.path()), kLog);
  ASSERT_TRUE(third) << third.error().message;
  EXPECT_LT(steady_clock::now() - start, milliseconds(10'000));
  EXPECT_NE((*third)->postmaster_pid(), first.postmaster);
  EXPECT_TRUE(has_ended(first.postmaster));
}

TEST(PrivateCluster, APostmasterThatOutlivedItsServerIsReplaced) {
  test::TemporaryDirectory directory(test::memory_directory());
  Owner owner(directory.path());
  ASSERT_GT(owner.postmaster, 0);
  // Stopped, it cannot obey the kernel's signal when its server dies.
  ASSERT_EQ(::kill(owner.postmaster, SIGSTOP), 0);
  owner.kill();
  auto options = options_in(directory.path());
  options.stop_timeout = milliseconds(300);
  const auto next = PrivateCluster::start(options, kLog);
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_NE((*next)->postmaster_pid(), owner.postmaster);
  EXPECT_TRUE(has_ended(owner.postmaster));
}

TEST(PrivateCluster, RunsForAnOrdinaryUserBehindALongPath) {
  if (::geteuid() != 0) GTEST_SKIP() << "the other tests run as an ordinary user already";
  const passwd* user = ::getpwnam("postgres");
  if (user == nullptr) GTEST_SKIP() << "no user postgres";
  test::TemporaryDirectory directory(test::memory_directory());
  ASSERT_EQ(::chmod(directory.path().c_str(), 0711), 0);
  const std::string deep = directory.path() + "/" + std::string(120, 'd');
  ASSERT_EQ(::mkdir(deep.c_str(), 0700), 0);
  ASSERT_EQ(::chown(deep.c_str(), user->pw_uid, user->pw_gid), 0);
  Owner owner(deep, "postgres");
  EXPECT_GT(owner.postmaster, 0);
  EXPECT_EQ(owner.finish(), 0);
  // In order means that nothing is left.
  EXPECT_TRUE(has_ended(owner.postmaster));
}

int own_cluster(const char* directory, const char* user) {
  if (*user != '\0') {
    const passwd* entry = ::getpwnam(user);
    if (::setgid(entry->pw_gid) != 0 || ::setuid(entry->pw_uid) != 0) return 2;
  }
  auto cluster = PrivateCluster::start(options_in(directory), kLog);
  if (!cluster) {
    std::fprintf(stderr, "%s\n", cluster.error().message.c_str());
    return 1;
  }
  std::printf("%d\n", (*cluster)->postmaster_pid());
  std::fflush(stdout);
  char byte = 0;
  return ::read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 3;
}

}  // namespace
}  // namespace qylon::storage

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "--own-cluster")
    return qylon::storage::own_cluster(argv[2], argv[3]);
  testing::InitGoogleTest(&argc, argv);
  qylon::storage::shared = new qylon::storage::Shared;  // NOLINT: GoogleTest owns it.
  testing::AddGlobalTestEnvironment(qylon::storage::shared);
  return RUN_ALL_TESTS();
}
