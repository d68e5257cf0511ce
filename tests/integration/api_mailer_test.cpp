// Mail to a server that does not always take it, over real sockets.

#include <algorithm>
#include <chrono>

#include <gtest/gtest.h>

#include "api/identity/mailer.hpp"
#include "tests/support/polling.hpp"
#include "tests/support/smtp_standin.hpp"

namespace qylon::api {
namespace {

using test::SmtpStandin;

/// A server that takes everything; RFC 5321 section 4.2.
std::string friendly(const std::string& line) {
  static const std::string kVerbs[] = {"EHLO ", "MAIL ", "RCPT "};
  if (line == SmtpStandin::kConnected) return "220 here";
  if (line == "DATA") return "354 go on";
  if (line == "QUIT") return "221 bye";
  const bool is_verb = std::any_of(std::begin(kVerbs), std::end(kVerbs), [&](const auto& verb) {
    return line.starts_with(verb);
  });
  return is_verb || line == "." ? "250 fine" : "";  // Nothing to the lines of a mail.
}

class MailerTest : public testing::Test {
 protected:
  std::unique_ptr<Mailer> make(const SmtpStandin& server, Mailer::Options options = {}) {
    options.url = server.url();
    options.from = "qylon@example.org";
    auto mailer = Mailer::create(options, {log_, counters_, clock_});
    EXPECT_TRUE(mailer);
    return *std::move(mailer);
  }
  std::uint64_t count(const std::string& result) {
    return counters_.counter("qylon_mails_total", "", "{result=\"" + result + "\"}").value();
  }
  bool counted(const std::string& result) {
    return test::poll_until([&] { return count(result) == 1; });
  }

  const Mail mail_{"ann@example.org", "Hello", "one\n.two\n"};
  const SystemClock clock_{};
  const Log log_{clock_, LogLevel::kError};
  Counters counters_;
};

bool has_line(const SmtpStandin& server, const std::string& line) {
  const auto lines = server.lines();
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

TEST_F(MailerTest, AServerThatCannotNowIsAskedAgain) {
  SmtpStandin server([](const std::string& line, int connection) -> std::string {
    if (connection == 1 && line.starts_with("RCPT")) return "451 busy";
    return friendly(line);
  });
  const auto mailer = make(server, {.retry_base_ms = 1, .retry_cap_ms = 5});
  ASSERT_TRUE(mailer->send(mail_));
  EXPECT_TRUE(counted("sent"));
  EXPECT_EQ(server.connections(), 2);
  EXPECT_TRUE(has_line(server, "RCPT TO:<ann@example.org>"));
  EXPECT_TRUE(has_line(server, "Subject: Hello"));
  EXPECT_TRUE(has_line(server, "..two"));  // RFC 5321 section 4.5.2.
}

// One address that does not exist must not keep the others' mails waiting.
TEST_F(MailerTest, AFinalRefusalIsNotAskedAgain) {
  SmtpStandin server([](const std::string& line, int connection) -> std::string {
    if (connection == 1 && line.starts_with("RCPT")) return "550 no such mailbox";
    return friendly(line);
  });
  const auto mailer = make(server, {.retry_base_ms = 60'000});
  ASSERT_TRUE(mailer->send(mail_));
  ASSERT_TRUE(mailer->send(mail_));
  EXPECT_TRUE(counted("given_up"));
  EXPECT_TRUE(counted("sent"));
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(MailerTest, AMailThatTheServerCannotTakeNowDoesNotKeepTheOthersWaiting) {
  SmtpStandin server([](const std::string& line, int) -> std::string {
    return line.starts_with("RCPT TO:<ann@") ? "450 try later" : friendly(line);
  });
  const auto mailer = make(server, {.retry_base_ms = 60'000});
  ASSERT_TRUE(mailer->send(mail_));
  ASSERT_TRUE(mailer->send({"ben@example.org", "Hello", "one\n"}));
  EXPECT_TRUE(counted("sent"));
  EXPECT_TRUE(has_line(server, "RCPT TO:<ben@example.org>"));
  EXPECT_EQ(count("given_up"), 0U);
}

TEST_F(MailerTest, AServerThatDoesNotAnswerIsNotAskedForEachMail) {
  SmtpStandin server([](const std::string& line, int connection) -> std::string {
    return connection == 1 ? SmtpStandin::kHangUp : friendly(line);
  });
  const auto mailer = make(server, {.retry_base_ms = 300, .retry_cap_ms = 300});
  ASSERT_TRUE(mailer->send(mail_));
  ASSERT_TRUE(mailer->send(mail_));
  ASSERT_TRUE(test::poll_until([&] { return server.connections() == 1; }));
  EXPECT_TRUE(test::poll_until([&] { return count("sent") == 2; }));
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(MailerTest, AfterItsAttemptsAMailIsGivenUp) {
  SmtpStandin server([](const std::string& line, int) -> std::string {
    return line.starts_with("MAIL") ? "421 away" : friendly(line);
  });
  const auto mailer = make(server, {.attempts_max = 3, .retry_base_ms = 1, .retry_cap_ms = 5});
  ASSERT_TRUE(mailer->send(mail_));
  EXPECT_TRUE(counted("given_up"));
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(MailerTest, APasswordIsNotSaidToAServerWithoutTls) {
  SmtpStandin server([](const std::string& line, int) -> std::string {
    return line.starts_with("EHLO") ? "250-here\r\n250 AUTH PLAIN LOGIN" : friendly(line);
  });
  const auto mailer = make(server, {.user = "qylon", .password = "secret", .attempts_max = 1});
  ASSERT_TRUE(mailer->send(mail_));
  EXPECT_TRUE(counted("given_up"));
  for (const std::string& line : server.lines()) {
    EXPECT_FALSE(line.starts_with("AUTH") || line.starts_with("MAIL")) << line;
  }
}

TEST_F(MailerTest, AFullQueueRefusesAndAServerThatIsSilentDoesNotKeepItFromStopping) {
  SmtpStandin server([](const std::string&, int) { return std::string(); });
  auto mailer = make(server);
  ASSERT_TRUE(mailer->send(mail_));
  ASSERT_TRUE(test::poll_until([&] { return server.connections() == 1; }));
  for (int i = 0; i < 1'000; ++i)
    ASSERT_TRUE(mailer->send(mail_)) << i;
  EXPECT_FALSE(mailer->send(mail_));
  EXPECT_EQ(count("refused"), 1U);
  const auto began = std::chrono::steady_clock::now();
  mailer.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

}  // namespace
}  // namespace qylon::api
