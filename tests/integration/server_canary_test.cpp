// No byte of one organisation comes to another: every route that the platform has is asked, whoever
// added it, and every verb of its WebSockets.

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api/compat/auth_reference.hpp"
#include "api/domains/domains.hpp"
#include "server/identity_parts.hpp"
#include "server/platform.hpp"
#include "server/recogniser_settings.hpp"
#include "server/settings.hpp"
#include "storage/journal.hpp"
#include "tests/support/platform_calls.hpp"

namespace qylon::server {
namespace {

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

constexpr const char* kHome = "aaaaaaaa-0000-4000-8000-000000000001";
constexpr const char* kOther = "bbbbbbbb-0000-4000-8000-000000000001";
/// In every text that the other organisation has.
constexpr const char* kCanary = "canary-7f3a9c";

/// The live meetings as far as REST asks them. That it is asked at all is what must not happen.
class Control final : public MeetingControl {
 public:
  void end_meeting(MeetingId, std::function<void(Status)> done) override {
    ++asked;
    done(ok());
  }
  void correct_speakers(MeetingId,
                        SpeakerChange,
                        std::function<void(Result<std::uint64_t>)> done) override {
    ++asked;
    done(std::uint64_t{1});
  }
  void voice_hints(MeetingId, std::function<void(Result<std::vector<VoiceHint>>)> done) override {
    ++asked;
    done(std::vector<VoiceHint>{});
  }
  std::atomic<int> asked = 0;
};

class Canary : public testing::Test {
 protected:
  Canary() {
    storage::Journal::Options options;
    options.dir = directory_.path() + "/journal";
    auto journal = storage::Journal::open(options, log_, counters_, clock_);
    QYLON_CHECK(journal);
    journal_ = *std::move(journal);
    settings_.data_dir = identity_directory_.path();
    auto identity = IdentityParts::create(settings_, {kDatabase->pool(), log_, counters_, clock_});
    QYLON_CHECK(identity);
    identity_ = *std::move(identity);
    serve(access_);
    owner_ = test::make_member(*kDatabase, kHome, "owner");
    their_owner_ = test::make_member(*kDatabase, kOther, "owner");
    make_meeting();
    make_file();
    for (const api::Domain& domain : api::all_domains()) {
      for (const api::Entity& entity : domain.entities)
        make_row(entity);
    }
  }

  void serve(const Access& access) {
    platform_.reset();
    platform_ = std::make_unique<Platform>(
        Platform::Options{.recordings_dir = directory_.path() + "/recordings",
                          .files = {.dir = directory_.path() + "/files", .link_secret = "secret"},
                          .limits = {.per_address = 1e9, .per_user = 1e9, .per_org = 1e9}},
        Platform::Parts{.access = access,
                        .identity_routes = identity_->routes(),
                        .clock = clock_,
                        .log = log_,
                        .counters = counters_,
                        .database = kDatabase->pool(),
                        .journal = *journal_,
                        .control = control_,
                        .voice_model = load_voice_model(Settings{}).value(),
                        .vault = vault_});
  }

  /// Everything that the media path writes about a meeting of the other organisation.
  void make_meeting() {
    meeting_ = test::random_uuid();
    const std::string c(kCanary);
    const std::string m = "'" + meeting_ + "', ";
    run("insert into meetings (id, epoch, title, org_id, glossary, state) values (" + m +
        "gen_random_uuid(), '" + c + "', '" + kOther + "', '{" + c + "}', 'ended')");
    run("insert into participants (meeting, key, name) values (" + m + "'t0', '" + c + "')");
    run("insert into tracks (meeting, track, label, speaker, codec, sample_rate_hz, channels,"
        " clock_id, anchor_ms) values (" +
        m + "0, '" + c + "', '" + c + "', 'opus', 48000, 1, gen_random_uuid(), 0)");
    run("insert into speakers (meeting, key, name, provenance) values (" + m + "'t0', '" + c +
        "', 'track')");
    run("insert into utterances (meeting, caption_offset, segment, revision, track, start_ms,"
        " end_ms, speaker_key, speaker_confidence, text, confidence, language, engine) values (" +
        m + "1, 1, 1, 0, 0, 5, 't0', 1, '" + c + " said', 1, 'en', 'test')");
    run("insert into words (meeting, caption_offset, position, text, start_ms, end_ms, confidence)"
        " values (" +
        m + "1, 0, '" + c + "', 0, 5, 1)");
    const std::string folder = directory_.path() + "/recordings/" + meeting_;
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/0.opus") << "OggS" << kCanary;
  }
  /// Where path_of() looks for a file: in the bucket of the meeting's name.
  void make_file() {
    const test::PlatformCalls::From them{their_owner_, kOther};
    EXPECT_EQ(ask(them, "POST", "/api/file-buckets", R"({"name":")" + meeting_ + "\"}").status,
              201);
    EXPECT_EQ(ask(them, "PUT", "/api/files/" + meeting_ + "/t0", kCanary).status, 201);
  }
  /// A row of the entity in the other organisation, where its fields can be made up.
  void make_row(const api::Entity& entity) {
    ids_[entity.path()] = entity.scope() == api::Scope::kTenant ? kOther : meeting_;
    const std::vector<api::Verb> verbs = api::verbs_of(entity);
    if (entity.scope() == api::Scope::kTenant)
      run("update orgs set name = '" + std::string(kCanary) + "' where id = '" + kOther + "'");
    if (std::find(verbs.begin(), verbs.end(), api::Verb::kCreate) == verbs.end()) return;
    std::string body;
    for (const api::Field& field : entity.fields()) {
      const bool text = field.type == api::FieldType::kText && field.one_of.empty();
      std::string value = text ? '"' + std::string(kCanary) + '"' : "";
      if (field.type == api::FieldType::kUuid && !field.references.empty())
        value = '"' + rows_[field.references] + '"';
      if (field.type == api::FieldType::kUuid && field.name == "user_id")
        value = '"' + (entity.name() == "org_members" ? test::random_uuid() : their_owner_) + '"';
      if (field.type == api::FieldType::kNumber) value = "1";
      if (field.read_only || value.empty()) continue;
      body += (body.empty() ? "" : ",") + ('"' + field.name + "\":" + value);
    }
    const HttpResponse made = ask({their_owner_, kOther}, "POST", entity.path(), '{' + body + '}');
    const std::string path = test::header_of(made, "Location");
    if (made.status != 201 || path.empty()) return;
    rows_[entity.name()] = ids_[entity.path()] = path.substr(path.rfind('/') + 1);
  }

  static void run(const std::string& statement) {
    const Status done =
        kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
          storage::Sql(transaction).run(statement);
          return ok();
        });
    ASSERT_TRUE(done) << statement << ": " << done.error().message;
  }

  HttpResponse ask(const test::PlatformCalls::From& from,
                   const std::string& method,
                   const std::string& path,
                   const std::string& body) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.content_type = "application/json";
    request.body = body;
    request.peer_address = "127.0.0.1";
    request.peer_is_loopback = true;
    if (!from.token.empty()) request.authorization = "Bearer " + from.token;
    if (!from.org.empty()) request.headers.emplace_back("x-org-id", from.org);
    if (path.ends_with("/export")) request.query = {{"format", "json"}};
    if (path.ends_with("/search")) request.query = {{"q", "canary said"}};
    auto promise = std::make_shared<std::promise<HttpResponse>>();
    auto future = promise->get_future();
    platform_->http().handle(std::move(request), [promise](HttpResponse response) {
      promise->set_value(std::move(response));
    });
    if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
      ADD_FAILURE() << method << ' ' << path << " was not answered";
      return {};
    }
    return future.get();
  }

  /// The route's path with names of what the other organisation has.
  std::string path_of(const api::Route& route) const {
    std::string id = meeting_;
    std::size_t longest = 0;
    for (const auto& [path, row] : ids_) {
      if (route.pattern.starts_with(path + "/{") && path.size() > longest) {
        id = row;
        longest = path.size();
      }
    }
    std::string path = route.pattern;
    for (int capture = 0; path.find('{') != std::string::npos; ++capture) {
      const std::size_t open = path.find('{');
      const std::size_t close = path.find('}', open);
      const std::string name = path.substr(open + 1, close - open - 1);
      const std::string value = capture == 0                          ? id
                                : name == "offset" || name == "track" ? "0"
                                                                      : "t0";
      path.replace(open, close + 1 - open, value);
    }
    return path;
  }
  std::string body_of() const {
    return R"({"meeting":")" + meeting_ + R"(","verb":"subscribe","org_id":")" + kOther +
           R"(","name":"x","into":"t1","captions":[1],"title":"x"})";
  }
  static bool tells(const HttpResponse& response) {
    if (response.body.find(kCanary) != std::string::npos) return true;
    for (const auto& [name, value] : response.headers) {
      if (value.find(kCanary) != std::string::npos) return true;
    }
    if (response.file_path.empty()) return false;
    std::ifstream file(response.file_path, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    return bytes.find(kCanary) != std::string::npos;
  }

  const SystemClock clock_;
  const Log log_{clock_, LogLevel::kError, -1};
  Counters counters_;
  test::OpenAccess access_;
  Control control_;
  test::TemporaryDirectory directory_;
  std::unique_ptr<storage::Journal> journal_;
  // One for all tests: its key opens what their one database holds.
  inline static const test::TemporaryDirectory identity_directory_{};
  Settings settings_;
  std::unique_ptr<IdentityParts> identity_;
  const api::Vault vault_{api::MasterKeys({SealKey::random()})};
  std::unique_ptr<Platform> platform_;
  std::string owner_;
  std::string their_owner_;
  std::string meeting_;
  std::map<std::string, std::string> ids_;   ///< An entity's path to a row of theirs.
  std::map<std::string, std::string> rows_;  ///< An entity's name to it.
};

TEST_F(Canary, SingsForItsOwnOrganisationOnManyRoutes) {
  int told = 0;
  for (const api::Route& route : platform_->routes().routes()) {
    if (route.method != "GET") continue;
    told += tells(ask({their_owner_, kOther}, "GET", path_of(route), "")) ? 1 : 0;
  }
  EXPECT_GE(told, 17);
}

TEST_F(Canary, IsHeardByNobodyElseOverAnyRoute) {
  for (const api::Route& route : platform_->routes().routes()) {
    for (const test::PlatformCalls::From& from : {test::PlatformCalls::From{"", ""},
                                                  {"", kOther},
                                                  {owner_, kHome},
                                                  {owner_, kOther},
                                                  {owner_, ""}}) {
      const std::string path = path_of(route);
      const HttpResponse response =
          ask(from, route.method, path, route.method == "GET" ? "" : body_of());
      EXPECT_FALSE(tells(response))
          << route.method << ' ' << path << ": " << response.status << ' ' << response.body;
      const bool open = route.permission == api::Permission::kOpen;
      const bool names_theirs = path != route.pattern;
      EXPECT_TRUE(open || !names_theirs || response.status >= 400)
          << route.method << ' ' << path << ": " << response.status << ' ' << response.body;
    }
  }
  EXPECT_EQ(control_.asked, 0);
}

/// Every route that does something for who shows no token, and why it may.
const std::set<std::string> kOpen{
    // Probes; holds nothing of anybody.
    "GET /health",
    "GET /api/health",
    // The pages themselves, which then ask for a token. No page: 404.
    "GET /{path...}",
    // What every server of this release can do.
    "GET /api/openapi.json",
    // What clients of Supabase ask before they sign in.
    "GET /auth/v1/settings",
    "GET /auth/v1/health",
    "GET /auth/v1/.well-known/jwks.json",
    // Each takes another proof than a token: a password, a code, a link of a mail; or sends a mail.
    "POST /api/auth/login",
    "POST /auth/v1/signup",
    "POST /auth/v1/token",
    "POST /auth/v1/recover",
    "POST /auth/v1/otp",
    "POST /auth/v1/resend",
    "POST /auth/v1/verify",
    "GET /auth/v1/verify",
    // A link that was signed for its file.
    "GET /files",
};

TEST_F(Canary, OnlyWhatIsListedIsOpenToWhoShowsNoTokenAlsoOnLoopback) {
  serve(identity_->access());
  std::set<std::string> open;
  for (const api::Route& route : platform_->routes().routes()) {
    const HttpResponse response =
        ask({"", ""}, route.method, path_of(route), route.method == "GET" ? "" : body_of());
    if (response.status != 401) open.insert(route.method + ' ' + route.pattern);
  }
  EXPECT_EQ(open, kOpen);
}

TEST_F(Canary, EveryRouteOfTheIdentityIsInTheReferenceAsItIs) {
  const auto name_of = [](const auto& method, const auto& path, api::Permission permission) {
    return method + ' ' + path + ' ' + std::string(api::permission_name(permission));
  };
  std::set<std::string> routes;
  for (const api::Route& route : identity_->routes())
    routes.insert(name_of(route.method, route.pattern, route.permission));
  std::set<std::string> described;
  for (const api::Operation& operation : api::identity_reference().operations)
    described.insert(name_of(operation.method, operation.path, operation.permission));
  EXPECT_EQ(described, routes);
}

TEST_F(Canary, IsHeardByNobodyElseOverAnyWebSocketVerb) {
  const auto allowed = [this](const std::string& user, const char* org, MeetingVerb verb) {
    const Principal principal{.role = "authenticated",
                              .user = user,
                              .claims = R"({"sub":")" + user + R"(","active_org":")" + org + "\"}"};
    std::promise<Status> answer;
    platform_->gate().ask(
        principal, MeetingId::parse(meeting_).value(), verb, [&answer](const Status& status) {
          answer.set_value(status);
        });
    return static_cast<bool>(answer.get_future().get());
  };
  for (const MeetingVerb verb : {MeetingVerb::kSee, MeetingVerb::kSpeak}) {
    EXPECT_TRUE(allowed(their_owner_, kOther, verb));
    EXPECT_FALSE(allowed(owner_, kHome, verb));
    EXPECT_FALSE(allowed(owner_, kOther, verb));
    EXPECT_FALSE(allowed(their_owner_, kHome, verb));
  }
}

}  // namespace
}  // namespace qylon::server
