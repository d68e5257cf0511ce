#include "server/server_login.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temporary_directory.hpp"

namespace qylon::server {
namespace {

/// In a directory where a server with the default data directory has run.
class Login : public testing::Test {
 protected:
  Login() {
    std::filesystem::create_directory(directory_.path() + "/qylon-data");
    write("qylon-data/token", "qyl_default\n");
    write("mine", "qyl_mine\n");
    std::filesystem::current_path(directory_.path());
  }
  ~Login() override { std::filesystem::current_path(before_); }
  Login(const Login&) = delete;
  Login& operator=(const Login&) = delete;
  Login(Login&&) = delete;
  Login& operator=(Login&&) = delete;

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_.path() + "/" + name) << text;
  }

  const std::filesystem::path before_ = std::filesystem::current_path();
  const test::TemporaryDirectory directory_;
};

TEST_F(Login, TakesTheVariableThenTheFileThenThatOfThisMachine) {
  EXPECT_EQ(find_login({.token_file = "mine"}, "qyl_variable")->token, "qyl_variable");
  EXPECT_EQ(find_login({.token_file = "mine"}, "")->token, "qyl_mine");
  EXPECT_EQ(find_login({}, nullptr)->token, "qyl_default");
}

TEST_F(Login, ShowsTheTokenOfThisMachineToNoOther) {
  for (const char* const there : {"http://192.0.2.1:8080", "https://qylon.example"})
    EXPECT_EQ(find_login({.server = there, .token_file = {}}, nullptr)->token, "") << there;
}

TEST_F(Login, WantsAFileThatWasNamed) {
  const auto login = find_login({.token_file = "none"}, nullptr);
  ASSERT_FALSE(login);
  EXPECT_EQ(login.error().message, "token-file: cannot read none");
}

TEST_F(Login, SaysWhatToDoWithoutSayingTheToken) {
  const Error refused{ErrorCode::kUnauthenticated, "it is another server's"};
  EXPECT_NE(explain(refused, {}).find("QYLON_TOKEN"), std::string::npos);
  const std::string wrong = explain(refused, *find_login({}, "qyl_secret"));
  EXPECT_NE(wrong.find("it is another server's"), std::string::npos);
  EXPECT_EQ(wrong.find("qyl_secret"), std::string::npos);
  EXPECT_EQ(explain({ErrorCode::kNotFound, "no such meeting"}, {}), "no such meeting");
}

}  // namespace
}  // namespace qylon::server
