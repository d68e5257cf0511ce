#include "api/token_access.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace qylon::api {
namespace {

class TokenFile : public testing::Test {
 protected:
  TokenFile() {
    std::string pattern = testing::TempDir() + "/qylon-token-XXXXXX";
    dir_ = ::mkdtemp(pattern.data());
  }
  ~TokenFile() override { std::filesystem::remove_all(dir_); }
  TokenFile(const TokenFile&) = delete;
  TokenFile& operator=(const TokenFile&) = delete;
  TokenFile(TokenFile&&) = delete;
  TokenFile& operator=(TokenFile&&) = delete;

  std::string path() const { return dir_ + "/token"; }
  void write(const std::string& text, mode_t mode) const {
    std::ofstream(path()) << text;
    ::chmod(path().c_str(), mode);
  }

  std::string dir_;
};

TEST_F(TokenFile, IsMadeOnFirstUseAndKept) {
  const auto first = load_or_create_token(dir_);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->size(), 47U);  // "qyl_" and 256 bits at six a character.
  EXPECT_TRUE(first->starts_with("qyl_"));
  const auto second = load_or_create_token(dir_);
  ASSERT_TRUE(second);
  EXPECT_EQ(*first, *second);
}

TEST_F(TokenFile, IsReadableByItsOwnerOnly) {
  ASSERT_TRUE(load_or_create_token(dir_));
  struct stat facts {};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
}

TEST_F(TokenFile, MakesAMissingDirectoryThatOthersCannotList) {
  dir_ += "/new";
  ASSERT_TRUE(load_or_create_token(dir_));
  struct stat facts {};
  ASSERT_EQ(::stat(dir_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0711U);
}

TEST_F(TokenFile, IsTheSameForAllWhoCreateItAtOnce) {
  std::vector<std::string> tokens(8);
  {
    std::vector<std::jthread> threads;
    for (std::string& token : tokens)
      threads.emplace_back([this, &token] { token = load_or_create_token(dir_).value(); });
  }
  for (const std::string& token : tokens)
    EXPECT_EQ(token, tokens[0]);
  // No draft stays behind.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_), {}), 1);
}

TEST_F(TokenFile, IsRefusedWhenOthersCanReadIt) {
  write("qyl_" + std::string(43, 'A') + "\n", 0640);
  const auto token = load_or_create_token(dir_);
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(token.error().message.find("AAAA"), std::string::npos);
}

TEST_F(TokenFile, IsRefusedWhenItHoldsNoToken) {
  for (const std::string text : {"", "secret", "qyl_short", "\n"}) {
    write(text, 0600);
    const auto token = load_or_create_token(dir_);
    ASSERT_FALSE(token) << text;
    EXPECT_EQ(token.error().message.find("secret"), std::string::npos);
  }
}

TEST_F(TokenFile, IsNotReadThroughALink) {
  write("qyl_" + std::string(43, 'A') + "\n", 0600);
  std::filesystem::rename(path(), dir_ + "/elsewhere");
  std::filesystem::create_symlink(dir_ + "/elsewhere", path());
  EXPECT_FALSE(load_or_create_token(dir_));
}

const std::string kToken = "qyl_" + std::string(43, 'k');

TEST(TokenAccess, TakesWhoHoldsTheTokenForTheServerItself) {
  const auto principal = TokenAccess(kToken).identify({.token = kToken});
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->role, "service_role");
}

TEST(TokenAccess, WantsAToken) {
  const Result<Principal> none = TokenAccess(kToken).identify({.token = ""});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kUnauthenticated);
  EXPECT_NE(none.error().message.find("qylon token"), std::string::npos);
}

TEST(TokenAccess, RefusesAWrongToken) {
  const TokenAccess access(kToken);
  const std::string longer = kToken + "k";
  const std::string shorter = kToken.substr(0, kToken.size() - 1);
  for (const std::string& wrong : {longer, shorter, std::string("x")})
    EXPECT_FALSE(access.identify({.token = wrong}));
}

}  // namespace
}  // namespace qylon::api
