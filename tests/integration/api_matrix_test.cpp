// Who may do what with which rows, for every declared entity and every route: the expectations are
// derived from the scope and the seeds' table of roles, the answers come over the routes.

#include <array>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "api/domains/domains.hpp"
#include "tests/support/platform_calls.hpp"

namespace qylon::api {
namespace {

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();

constexpr const char* kHome = "aaaaaaaa-0000-4000-8000-000000000001";
constexpr const char* kOther = "bbbbbbbb-0000-4000-8000-000000000001";
/// In every text of every row of the other organisation.
constexpr const char* kCanary = "canary-7f3a9c";

/// A domain that nobody wrote more about than this: its table, policies, routes and expectations
/// below are derived.
Domain shelves() {
  Domain domain{"shelves"};
  domain.entities.push_back(Entity("shelves").organisation().text("label").required().max(80));
  domain.entities.push_back(Entity("books")
                                .organisation()
                                .emits("book")
                                .reference("shelf_id", "shelves")
                                .text("title")
                                .required()
                                .integer("pages"));
  domain.entities.push_back(Entity("loans").append().text("reader").required());
  domain.entities.push_back(Entity("notes").owner().text("line").required());
  domain.entities.push_back(Entity("postcards").public_insert().text("line").required());
  return domain;
}

std::vector<Domain> every_domain() {
  std::vector<Domain> domains = all_domains();
  domains.push_back(shelves());
  return domains;
}

enum class Caller { kAnonymous, kStranger, kForeignClaim, kViewer, kUser, kAdmin, kOwner };
constexpr std::array<std::pair<Caller, const char*>, 7> kCallers{{
    {Caller::kAnonymous, "anonymous"},
    {Caller::kStranger, "admin of another organisation"},
    {Caller::kForeignClaim, "admin of another organisation who names this one"},
    {Caller::kViewer, "viewer"},
    {Caller::kUser, "user"},
    {Caller::kAdmin, "admin"},
    {Caller::kOwner, "owner"},
}};

/// The seeds' table (rows "Role admin", "Role user", "Role viewer"), and the owner above it.
bool role_has(Caller caller, const std::string& permission) {
  static const std::map<Caller, std::set<std::string>> kRoles{
      {Caller::kViewer, {"read"}},
      {Caller::kUser, {"read", "write_own"}},
      {Caller::kAdmin, {"read", "write_own", "write", "delete", "manage", "manage_users"}},
      {Caller::kOwner,
       {"read", "write_own", "write", "delete", "manage", "manage_users", "manage_owners"}}};
  const auto found = kRoles.find(caller);
  return found != kRoles.end() && found->second.contains(permission);
}

/// What `caller` is answered who tries `verb` on a row that somebody else of the organisation made.
int expected(const Entity& entity, Verb verb, Caller caller) {
  if (caller == Caller::kAnonymous)
    return verb == Verb::kCreate && entity.scope() == Scope::kPublicInsert ? 201 : 401;
  if (entity.scope() == Scope::kPublicInsert) return 201;
  if (verb == Verb::kList) return 200;  // Of what the caller sees; the canary watches that.
  if (verb == Verb::kCreate && caller == Caller::kStranger) return 201;  // In the caller's own.
  if (entity.scope() == Scope::kOwner) return verb == Verb::kCreate ? 201 : 404;
  const bool special = entity.write_permission() != "write";
  const auto may = [&](const std::string& permission) {
    return role_has(caller, special ? entity.write_permission() : permission);
  };
  if (verb == Verb::kCreate) return may("write") || (!special && may("write_own")) ? 201 : 403;
  if (!role_has(caller, "read")) return 404;
  if (verb == Verb::kGet) return 200;
  const bool allowed = may(verb == Verb::kPatch ? "write" : "delete");
  return allowed ? (verb == Verb::kPatch ? 200 : 204) : 403;
}

/// What a row's body must refer to in its organisation: field to id.
using Parents = std::map<std::string, std::string>;

/// A body that the entity takes; every text holds `word`.
std::string body_for(const Entity& entity, const std::string& word, const Parents& parents) {
  static int bodies = 0;  // What must be unique is.
  const std::string text = word + std::to_string(++bodies);
  std::string body;
  const auto add = [&body](const Field& field, const std::string& value) {
    body += (body.empty() ? "" : ",") + ('"' + field.name + "\":" + value);
  };
  for (const Field& field : entity.fields()) {
    if (field.read_only || (!field.references.empty() && !field.required)) continue;
    const auto parent = parents.find(field.name);
    if (parent != parents.end()) {
      add(field, '"' + parent->second + '"');
      continue;
    }
    switch (field.type) {
      case FieldType::kText:
        // What has few values gets the last: the weakest role, the last state.
        add(field, '"' + (field.one_of.empty() ? text : field.one_of.back()) + '"');
        break;
      case FieldType::kEmail:
        add(field, '"' + text + "@example.org\"");
        break;
      case FieldType::kUuid:
        add(field, '"' + test::random_uuid() + '"');
        break;
      case FieldType::kInteger:
      case FieldType::kBigInteger:
      case FieldType::kNumber:
      case FieldType::kReal:
        add(field, "7");
        break;
      case FieldType::kFlag:
        add(field, "true");
        break;
      case FieldType::kTime:
        add(field, "\"2026-11-21T18:41:10Z\"");
        break;
      case FieldType::kDate:
        add(field, "\"2026-11-21\"");
        break;
      case FieldType::kDocument:
        add(field, R"({"text":")" + text + "\"}");
        break;
      case FieldType::kTexts:
        add(field, "[\"" + text + "\"]");
        break;
      case FieldType::kBytes:
        add(field, "\"aGk=\"");
        break;
      case FieldType::kSearch:
        break;
    }
  }
  return '{' + body + '}';
}

class Matrix : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::vector<Domain> mine{shelves()};
    test::make_tables(*kDatabase, mine);
    calls_ = new test::PlatformCalls(*kDatabase, every_domain());
    for (const auto& [caller, name] : kCallers) {
      const bool foreign = caller == Caller::kStranger || caller == Caller::kForeignClaim;
      if (caller == Caller::kAnonymous) continue;
      const std::string role = foreign ? "admin" : name;
      callers_[caller] = {test::make_member(*kDatabase, foreign ? kOther : kHome, role),
                          caller == Caller::kStranger ? kOther : kHome};
    }
    maker_ = {test::make_member(*kDatabase, kHome, "owner"), kHome};
    theirs_ = {test::make_member(*kDatabase, kOther, "owner"), kOther};
  }
  static void TearDownTestSuite() { delete calls_; }

  static HttpResponse send(const test::PlatformCalls::From& from,
                           const Route& route,
                           const std::string& id,
                           const std::string& body) {
    std::string path = route.pattern;
    if (const std::size_t at = path.find("{id}"); at != std::string::npos) path.replace(at, 4, id);
    return calls_->send(from, route.method, path, body);
  }
  static std::string make_meeting(const std::string& org) {
    const std::string meeting = test::random_uuid();
    EXPECT_TRUE(kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& tx) {
      storage::Sql(tx).run(
          "insert into meetings (id, epoch, title, org_id) values ($1, gen_random_uuid(), '', $2)",
          {meeting, org});
      return ok();
    }));
    return meeting;
  }
  /// New rows of the organisation that a row of `entity` must refer to, and a member of it.
  static Parents parents_in(const std::string& org, const Entity& entity) {
    const test::PlatformCalls::From& owner = org == kHome ? maker_ : theirs_;
    Parents parents;
    for (const Field& field : entity.fields()) {
      if (field.references.empty() || !field.required) continue;
      for (const Domain& domain : every_domain()) {
        for (const Entity& parent : domain.entities) {
          if (parent.name() != field.references) continue;
          parents[field.name] =
              parent.is_hidden() ? make_meeting(org) : make_row(parent, owner, "a");
        }
      }
    }
    for (const ForeignKey& key : entity.foreign_keys()) {
      if (key.entity == "org_members") parents["user_id"] = owner.token;
    }
    return parents;
  }
  /// Id of a row that the organisation's maker made.
  static std::string make_row(const Entity& entity,
                              const test::PlatformCalls::From& from,
                              const std::string& text) {
    if (entity.scope() == Scope::kTenant) return from.org;
    const Route route = route_of(entity, Verb::kCreate);
    const HttpResponse made =
        send(from, route, "", body_for(entity, text, parents_in(from.org, entity)));
    EXPECT_EQ(made.status, 201) << entity.name() << ": " << made.body;
    const std::string path = test::header_of(made, "Location");
    return path.substr(path.rfind('/') + 1);
  }

  /// Asks for row `id` of kOther over every route, also naming that organisation in the header and
  /// the body. Returns how many answers there were, none of which may tell of it.
  static int probe(const Entity& entity, const std::string& id, const std::string& token) {
    int answers = 0;
    for (const Verb verb : verbs_of(entity)) {
      const bool writes = verb == Verb::kCreate || verb == Verb::kPatch;
      for (const char* org : {kHome, kOther}) {
        for (const std::string& body : {body_for(entity, "new", parents_in(org, entity)),
                                        R"({"org_id":")" + std::string(kOther) + "\"}"}) {
          const HttpResponse response =
              send({token, org}, route_of(entity, verb), id, writes ? body : "");
          EXPECT_EQ(response.body.find(kCanary), std::string::npos)
              << entity.name() << ": " << response.body;
          const bool names_the_row = verb != Verb::kList && verb != Verb::kCreate;
          EXPECT_TRUE(!names_the_row || response.status >= 400) << entity.name();
          ++answers;
        }
      }
    }
    return answers;
  }

  static inline test::PlatformCalls* calls_ = nullptr;
  static inline std::map<Caller, test::PlatformCalls::From> callers_;
  static inline test::PlatformCalls::From maker_;
  static inline test::PlatformCalls::From theirs_;
};

TEST_F(Matrix, EveryRoleGetsWhatItsRowSaysOfEveryEntityOverEveryVerb) {
  int cases = 0;
  for (const Domain& domain : every_domain()) {
    for (const Entity& entity : domain.entities) {
      for (const Verb verb : verbs_of(entity)) {
        for (const auto& [caller, name] : kCallers) {
          const bool public_insert = entity.scope() == Scope::kPublicInsert;
          const std::string id = public_insert ? "" : make_row(entity, maker_, "row");
          const bool writes = verb == Verb::kCreate || verb == Verb::kPatch;
          const Route route = route_of(entity, verb);
          const Parents parents = parents_in(caller == Caller::kStranger ? kOther : kHome, entity);
          const HttpResponse response =
              send(callers_[caller], route, id, writes ? body_for(entity, "new", parents) : "");
          EXPECT_EQ(response.status, expected(entity, verb, caller))
              << route.method << ' ' << route.pattern << " as " << name << ": " << response.body;
          ++cases;
        }
      }
    }
  }
  EXPECT_GT(cases, 150);
}

TEST_F(Matrix, AUserMayDoToOwnRowsWhatTheUserMayNotToOthers) {
  for (const Domain& domain : every_domain()) {
    for (const Entity& entity : domain.entities) {
      if (entity.scope() != Scope::kOrganisation || verbs_of(entity).empty()) continue;
      if (entity.write_permission() != "write") continue;
      const std::string id = make_row(entity, callers_[Caller::kUser], "mine");
      for (const Verb verb : {Verb::kPatch, Verb::kDelete}) {
        const int status =
            send(callers_[Caller::kUser],
                 route_of(entity, verb),
                 id,
                 verb == Verb::kPatch ? body_for(entity, "changed", parents_in(kHome, entity)) : "")
                .status;
        EXPECT_EQ(status, verb == Verb::kPatch ? 200 : 204) << entity.name();
      }
    }
  }
}

TEST_F(Matrix, NoByteOfAnotherOrganisationComesOverAnyRoute) {
  int answers = 0;
  for (const Domain& domain : every_domain()) {
    for (const Entity& entity : domain.entities) {
      if (verbs_of(entity).empty() || entity.scope() == Scope::kPublicInsert) continue;
      const std::string id = make_row(entity, theirs_, kCanary);
      if (entity.scope() == Scope::kTenant)
        send(theirs_,
             route_of(entity, Verb::kPatch),
             id,
             body_for(entity, kCanary, parents_in(kOther, entity)));
      // The row is there, and tells of itself to its own.
      const HttpResponse seen = send(theirs_, route_of(entity, Verb::kGet), id, "");
      const bool has_text = body_for(entity, kCanary, {}).find(kCanary) != std::string::npos;
      EXPECT_NE(seen.body.find(has_text ? kCanary : id), std::string::npos) << seen.body;
      for (const Caller caller :
           {Caller::kAnonymous, Caller::kViewer, Caller::kUser, Caller::kAdmin, Caller::kOwner})
        answers += probe(entity, id, callers_[caller].token);
    }
  }
  EXPECT_GT(answers, 100);
}

TEST_F(Matrix, WhatTheMediaPathStoresIsTheMeetingsOrganisations) {
  const std::string meeting = test::random_uuid();
  const auto insert = [&](const std::string& columns, const std::string& values) {
    const Status done =
        kDatabase->transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
          storage::Sql(transaction)
              .run_script("insert into " + columns + " values ('" + meeting + "', " + values + ")");
          return ok();
        });
    EXPECT_TRUE(done) << columns << done.error().message;
  };
  insert("meetings (id, epoch, title, org_id)",
         "gen_random_uuid(), 'Home', '" + std::string(kHome) + "'");
  insert("participants (meeting, key, name)", "'t0', 'Ann'");
  insert(
      "tracks (meeting, track, label, speaker, codec, sample_rate_hz, channels, clock_id,"
      " anchor_ms)",
      "0, '', '', 'opus', 48000, 1, gen_random_uuid(), 0");
  insert("speakers (meeting, key, name, provenance)", "'t0', 'Ann', 'track'");
  insert(
      "utterances (meeting, caption_offset, segment, revision, track, start_ms, end_ms,"
      " speaker_key, speaker_confidence, text, confidence, language, engine)",
      "1, 1, 1, 0, 0, 5, 't0', 1, 'Hello', 1, 'en', 'test'");
  insert("words (meeting, caption_offset, position, text, start_ms, end_ms, confidence)",
         "1, 0, 'Hello', 0, 5, 1");
  insert("voices (meeting, key, model, centroid, weight)", "'t0', 'm', '', 1");
  const auto seen = [&](const test::PlatformCalls::From& from, const std::string& table) {
    std::string count;
    const Principal principal{
        .role = "authenticated",
        .user = from.token,
        .claims = R"({"sub":")" + from.token + R"(","active_org":")" + from.org + "\"}"};
    const Status read = kDatabase->transact_as(principal, [&](pqxx::transaction_base& transaction) {
      const std::string id = table == "meetings" ? "id" : "meeting";
      count = storage::Sql(transaction)
                  .value("select count(*) from " + table + " where " + id + " = $1", {meeting})
                  .value_or("");
      return ok();
    });
    EXPECT_TRUE(read) << read.error().message;
    return count;
  };
  for (const Entity& entity : meetings_domain().entities) {
    if (!entity.is_hidden()) continue;
    EXPECT_EQ(seen(callers_[Caller::kViewer], entity.name()), "1") << entity.name();
    EXPECT_EQ(seen(callers_[Caller::kStranger], entity.name()), "0") << entity.name();
    EXPECT_EQ(seen(callers_[Caller::kForeignClaim], entity.name()), "0") << entity.name();
  }
}

TEST_F(Matrix, CountsEveryRouteOfTheEntities) {
  std::size_t routes = 0;
  for (const Domain& domain : every_domain()) {
    routes += domain.operations.size();
    for (const Entity& entity : domain.entities)
      routes += verbs_of(entity).size();
  }
  DatabaseJobs jobs(kDatabase->pool());
  EXPECT_EQ(domain_routes(every_domain(), jobs).size(), routes);
}

}  // namespace
}  // namespace qylon::api
