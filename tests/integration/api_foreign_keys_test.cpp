// Another issuer's keys, read from a server of its own, over a real PostgreSQL.

#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "api/identity/foreign_keys.hpp"
#include "api/identity/identity_access.hpp"
#include "api/identity/jwks_json.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/http_standin.hpp"
#include "tests/support/polling.hpp"
#include "tests/support/test_database.hpp"

namespace qylon::api {
namespace {

const test::TestDatabase* const kDatabase = test::TestDatabase::of_program();
const SealKey kMaster = SealKey::random();  // One, as the tests share the database.
const std::string kIssuer = "https://them/auth/v1";

class ForeignKeysTest : public testing::Test {
 protected:
  ForeignKeysTest() : standin_([this](const std::string&, int) { return publish(); }) {
    Identity::Options options;
    options.keys.issuer = "https://us/auth/v1";
    auto identity = Identity::create(options, kMaster, {kDatabase->pool(), log_, clock_});
    QYLON_CHECK(identity);
    identity_ = *std::move(identity);
    foreign_ = std::make_unique<ForeignKeys>(
        ForeignKeys::Options{kIssuer, standin_.url("/jwks.json")},
        ForeignKeys::Parts{identity_->keys(), clock_, log_, counters_});
    access_ = std::make_unique<IdentityAccess>(
        IdentityAccess::Parts{token_, *identity_, clock_, foreign_.get()});
  }
  void SetUp() override { ASSERT_TRUE(knows_within(1)); }

  std::optional<std::string> publish() {
    const MutexLock lock(mutex_);
    if (is_away_) return test::HttpStandin::answer(503, "");
    return test::HttpStandin::answer(
        200, R"({"keys":[)" + to_jwk(key_->point(), key_->thumbprint()) + "]}");
  }
  void replace_key() {
    const MutexLock lock(mutex_);
    key_ = SigningKey::generate();
  }
  void go_away() {
    const MutexLock lock(mutex_);
    is_away_ = true;
  }
  /// A token of theirs by the key that they publish now.
  std::string token() {
    const std::int64_t now_s = clock_.wall_us() / 1'000'000;
    const MutexLock lock(mutex_);
    return sign_jwt(R"({"iss":")" + kIssuer +
                        R"(","aud":"authenticated","role":"authenticated","iat":)" +
                        std::to_string(now_s) + R"(,"exp":)" + std::to_string(now_s + 36'000) +
                        R"(,"sub":"11111111-2222-4333-8444-555555555555"})",
                    *key_,
                    key_->thumbprint());
  }
  bool takes(const std::string& token) {
    return static_cast<bool>(access_->identify({.token = token, .api_key = {}}));
  }
  /// True when the published key is taken, after `requests` for it in all.
  bool knows_within(int requests) {
    const std::string shown = token();
    return test::poll_until([&] { return takes(shown); }) && standin_.requests() == requests;
  }

  test::FakeClock clock_;
  const Log log_{clock_, LogLevel::kError};
  Counters counters_;
  Mutex mutex_;
  bool is_away_ QYLON_GUARDED_BY(mutex_) = false;
  std::optional<SigningKey> key_ QYLON_GUARDED_BY(mutex_) = SigningKey::generate();
  test::HttpStandin standin_;
  const TokenAccess token_{"qyl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
  std::unique_ptr<Identity> identity_;
  std::unique_ptr<ForeignKeys> foreign_;
  std::unique_ptr<IdentityAccess> access_;
};

TEST_F(ForeignKeysTest, ANewKeyIsReadWhenATokenOfItComes) {
  const std::string old = token();
  replace_key();
  clock_.advance_us(ForeignKeys::kApartUs);
  EXPECT_TRUE(knows_within(2));
  EXPECT_FALSE(takes(old));  // That key is withdrawn.
}

TEST_F(ForeignKeysTest, WrongTokensDoNotMakeItAskMoreOften) {
  replace_key();
  clock_.advance_us(ForeignKeys::kApartUs - 1);
  for (int i = 0; i < 100; ++i)
    EXPECT_FALSE(takes(token()));
  EXPECT_EQ(standin_.requests(), 1);
}

TEST_F(ForeignKeysTest, KeysAreReadAgainAfterTenMinutesAndKeptWhileTheIssuerIsAway) {
  const std::string shown = token();
  go_away();
  clock_.advance_us(ForeignKeys::kFreshUs);
  clock_.advance_us(1);
  EXPECT_TRUE(takes(shown));
  EXPECT_TRUE(test::poll_until([&] { return standin_.requests() >= 2; }));
  EXPECT_TRUE(takes(shown));
}

}  // namespace
}  // namespace qylon::api
