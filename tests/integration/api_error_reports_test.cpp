// Errors of the log on their way to a server that collects them.

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/core/error_reports.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/http_standin.hpp"
#include "tests/support/polling.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::json;

class ErrorReportsTest : public testing::Test {
 protected:
  ErrorReportsTest() {
    auto reports = ErrorReports::create(
        "http://abc123@" + collector_.authority() + "/sub/42", clock_, counters_);
    EXPECT_TRUE(reports);
    reports_ = *std::move(reports);
    log_.set_observer(reports_.get());
  }
  ~ErrorReportsTest() override { log_.set_observer(nullptr); }

  bool shows(const std::string& line) const {
    return counters_.render().find("\n" + line + "\n") != std::string::npos;
  }
  std::vector<Json> lines() const {
    std::vector<Json> all;
    std::istringstream body(request_.substr(request_.find("\r\n\r\n") + 4));
    for (std::string line; std::getline(body, line);)
      all.push_back(Json::parse(line));
    return all;
  }

  test::FakeClock clock_{1'800'000'000'000'000};
  Counters counters_;
  Log log_{clock_, LogLevel::kWarn, -1};
  std::string request_;
  std::atomic<int> asked_{0};
  int status_ = 200;
  test::HttpStandin collector_{[this](const std::string& request, int) {
    request_ = request;
    ++asked_;
    return test::HttpStandin::answer(status_, "{}");
  }};
  std::unique_ptr<ErrorReports> reports_;
};

TEST_F(ErrorReportsTest, AreEnvelopesOfOneEvent) {
  log_.error("disk_nearly_full", {{"free_bytes", "12"}});
  ASSERT_TRUE(test::poll_until([&] { return asked_ == 1; }));
  EXPECT_TRUE(request_.starts_with("POST /sub/api/42/envelope/ HTTP/1.1\r\n")) << request_;
  EXPECT_NE(request_.find("X-Sentry-Auth: Sentry sentry_version=7"), std::string::npos);
  EXPECT_NE(request_.find("sentry_key=abc123\r\n"), std::string::npos);
  const std::vector<Json> all = lines();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0]["event_id"].get<std::string>().size(), 32U);
  EXPECT_EQ(all[1]["type"], "event");
  EXPECT_EQ(all[2]["event_id"], all[0]["event_id"]);
  EXPECT_EQ(all[2]["level"], "error");
  EXPECT_EQ(all[2]["timestamp"], "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(all[2]["message"]["formatted"], "disk_nearly_full");
  EXPECT_EQ(all[2]["extra"]["free_bytes"], "12");
}

TEST_F(ErrorReportsTest, SayNotWhoAskedForWhat) {
  log_.error("http.request",
             {{"user", "kim"}, {"address", "192.0.2.1"}, {"path", "/a"}, {"route", "/{x}"}});
  ASSERT_TRUE(test::poll_until([&] { return asked_ == 1; }));
  EXPECT_EQ(lines()[2]["extra"], (Json{{"route", "/{x}"}}));
}

TEST_F(ErrorReportsTest, AreOfErrorsAlone) {
  log_.warn("pg_away");
  EXPECT_TRUE(shows("qylon_error_reports_total 0"));
}

TEST_F(ErrorReportsTest, AreBoundedInTheirRate) {
  for (int i = 0; i < 15; ++i)
    log_.error("again");
  EXPECT_TRUE(shows("qylon_error_reports_total 10"));
  EXPECT_TRUE(shows("qylon_error_reports_dropped_total 5"));
  clock_.advance_ms(1000);
  log_.error("again");
  EXPECT_TRUE(shows("qylon_error_reports_total 11"));
}

TEST_F(ErrorReportsTest, ThatAreNotTakenAreCounted) {
  status_ = 403;
  log_.error("again");
  EXPECT_TRUE(test::poll_until([&] { return shows("qylon_error_reports_failed_total 1"); }));
}

TEST_F(ErrorReportsTest, NeedAnAddressOfTheRightForm) {
  for (const char* dsn : {"",
                          "https://host/1",
                          "https://@host/1",
                          "https://:secret@host/1",
                          "https://key@host",
                          "https://key@host/",
                          "ftp://key@host/1",
                          "key@host/1"})
    EXPECT_FALSE(ErrorReports::create(dsn, clock_, counters_)) << dsn;
  EXPECT_TRUE(ErrorReports::create("https://key:old@host/1", clock_, counters_));
}

}  // namespace
}  // namespace qylon::api
