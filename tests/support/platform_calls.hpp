#pragma once
/// Requests to the platform's routes without sockets: who asks is the token itself.

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "api/core/crud.hpp"
#include "api/core/router.hpp"
#include "api/core/schema_diff.hpp"
#include "core/access.hpp"
#include "core/ids.hpp"
#include "storage/sql.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::test {

/// A token is the id of a user, or "service"; without one the caller is "anon".
class OpenAccess final : public Access {
 public:
  Result<Principal> identify(const Credentials& credentials) const override {
    if (credentials.token.empty()) return Principal{};
    if (credentials.token == "service") return Principal::service();
    const std::string user(credentials.token);
    return Principal{.role = "authenticated",
                     .user = user,
                     .claims = R"({"role":"authenticated","sub":")" + user + "\"}"};
  }
};

/// The routes of some domains over a test's database.
class PlatformCalls {
 public:
  PlatformCalls(const TestDatabase& database, std::span<const api::Domain> domains)
      : router_({.per_address = 1e6, .per_user = 1e6, .per_org = 1e6},
                {.access = access_, .clock = clock_, .log = log_, .counters = counters_}),
        jobs_(database.pool()) {
    router_.add(api::domain_routes(domains, jobs_));
  }

  api::DatabaseJobs& jobs() noexcept { return jobs_; }
  void add(std::vector<api::Route> routes) { router_.add(std::move(routes)); }

  struct From {
    std::string token = {};
    std::string org = {};  ///< X-Org-Id.
  };
  using Headers = std::vector<std::pair<std::string_view, std::string>>;

  HttpResponse send(const From& from,
                    const std::string& method,
                    const std::string& target,
                    const std::string& body = {},
                    Headers headers = {}) {
    HttpRequest request;
    request.method = method;
    request.path = target.substr(0, target.find('?'));
    if (request.path.size() < target.size()) add_query(target, request);
    request.content_type = body.empty() ? "" : "application/json";
    if (!from.token.empty()) request.authorization = "Bearer " + from.token;
    if (!from.org.empty()) headers.emplace_back("x-org-id", from.org);
    request.headers = std::move(headers);
    request.body = body;
    request.peer_address = "192.0.2.1";
    auto promise = std::make_shared<std::promise<HttpResponse>>();
    auto future = promise->get_future();
    router_.handle(std::move(request),
                   [promise](HttpResponse response) { promise->set_value(std::move(response)); });
    if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
      ADD_FAILURE() << method << " " << target << " was not answered";
      return {};
    }
    return future.get();
  }

 private:
  static void add_query(const std::string& target, HttpRequest& request) {
    std::string rest = target.substr(target.find('?') + 1) + "&";
    for (std::size_t end = rest.find('&'); end != std::string::npos; end = rest.find('&')) {
      const std::string pair = rest.substr(0, end);
      const std::size_t equals = std::min(pair.find('='), pair.size() - 1);
      request.query.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
      rest.erase(0, end + 1);
    }
  }

  OpenAccess access_;
  SystemClock clock_;
  Log log_{clock_, LogLevel::kError, -1};
  Counters counters_;
  api::Router router_;
  api::DatabaseJobs jobs_;
};

/// Makes the tables of `domains` as the schema's owner.
inline void make_tables(const TestDatabase& database, std::span<const api::Domain> domains) {
  const SystemClock clock;
  const Log log(clock, LogLevel::kError, -1);
  storage::PgConnection::Settings settings;
  settings.url = database.owner_url();
  auto owner = storage::PgConnection::connect(settings, log);
  ASSERT_TRUE(owner) << owner.error().message;
  const Status made = (*owner)->transact([&](pqxx::transaction_base& transaction) {
    for (const std::string& statement : api::schema_statements(domains))
      storage::Sql(transaction).run_script(statement);
    return ok();
  });
  ASSERT_TRUE(made) << made.error().message;
}

/// A new user, who is a member of `org` with `role`; the organisation is made when there is none.
inline std::string make_member(const TestDatabase& database,
                               const std::string& org,
                               const std::string& role) {
  std::string user;
  const Status made =
      database.transact_as(Principal::service(), [&](pqxx::transaction_base& transaction) {
        storage::Sql sql(transaction);
        sql.run("insert into orgs (id, name) values ($1, 'Org') on conflict do nothing", {org});
        user = sql.value(
                      "insert into org_members (org_id, user_id, role)"
                      " values ($1, gen_random_uuid(), $2) returning user_id",
                      {org, role})
                   .value_or("");
        return ok();
      });
  EXPECT_TRUE(made) << made.error().message;
  return user;
}

inline std::string random_uuid() {
  return MeetingId::random().to_string();
}

inline std::string header_of(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace qylon::test
