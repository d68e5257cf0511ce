#include "api/identity/password.hpp"

#include <future>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api/identity/password_pool.hpp"

namespace qylon::api {
namespace {

using Words = std::vector<std::string_view>;
constexpr PasswordCost kCheap{.memory_kib = 8, .passes = 1, .lanes = 1};

TEST(Password, HashesAreThoseOfTheReferenceImplementation) {  // phc-winner-argon2, src/test.c.
  const std::string kHash =
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
  EXPECT_TRUE(verify_password(kHash, "password"));
  EXPECT_FALSE(verify_password(kHash, "Password"));
}

TEST(Password, IsKeptWithItsCostAndASaltOfItsOwn) {
  const std::string first = hash_password("correct horse");
  const std::string second = hash_password("correct horse");
  EXPECT_EQ(first.rfind("$argon2id$v=19$m=19456,t=2,p=1$", 0), 0U) << first;
  EXPECT_NE(first, second);
  EXPECT_TRUE(verify_password(first, "correct horse"));
  EXPECT_FALSE(verify_password(first, "correct horse "));
}

TEST(Password, HashesOfOtherKindsAndOfRuinousCostAreNobodys) {
  for (const std::string phc :
       {"",
        "password",
        "$2b$12$KIXxPzLqTq5Yb1C0Ww4hYe0QkC3dX6lWw4zY0v9m9k1rZz5JcX1tK",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY",
        "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=4000000,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ"}) {
    EXPECT_FALSE(verify_password(phc, "password")) << phc;
  }
}

TEST(Password, IsRefusedForItsLengthItsPovertyAndItsFame) {
  EXPECT_EQ(password_weaknesses("correct horse", "a@b.c"), Words{});
  EXPECT_EQ(password_weaknesses("short7!", "a@b.c"), Words{"length"});
  EXPECT_EQ(password_weaknesses(std::string(253, 'a') + "bcde", "a@b.c"), Words{"length"});
  EXPECT_EQ(password_weaknesses("aabbaabb", "a@b.c"), Words{"characters"});
  EXPECT_EQ(password_weaknesses("Password123", "a@b.c"), Words{"pwned"});
  EXPECT_EQ(password_weaknesses("ann.norland", "Ann.Norland@example.org"), Words{"pwned"});
  EXPECT_EQ(password_weaknesses("äöüßéèê", "a@b.c"), Words{"length"});  // 7 characters, 14 bytes.
}

TEST(PasswordPool, AnswersWithoutBlockingItsCaller) {
  PasswordPool pool({.threads = 1, .waiting_max = 4, .cost = kCheap});
  std::promise<std::string> hashed;
  ASSERT_TRUE(pool.hash("correct horse", [&](std::string phc) { hashed.set_value(phc); }));
  const std::string phc = hashed.get_future().get();
  std::promise<bool> right;
  std::promise<bool> nobody;
  ASSERT_TRUE(pool.verify(phc, "correct horse", [&](bool same) { right.set_value(same); }));
  ASSERT_TRUE(pool.verify("", "correct horse", [&](bool same) { nobody.set_value(same); }));
  EXPECT_TRUE(right.get_future().get());
  EXPECT_FALSE(nobody.get_future().get());
}

TEST(PasswordPool, RefusesWhatItCannotHold) {
  std::promise<void> begun;
  std::promise<void> release;
  auto released = release.get_future();
  PasswordPool pool({.threads = 1, .waiting_max = 2, .cost = kCheap});
  ASSERT_TRUE(pool.hash("first", [&](const std::string&) {
    begun.set_value();
    released.wait();
  }));
  begun.get_future().wait();
  EXPECT_TRUE(pool.hash("second", [](const std::string&) {}));
  EXPECT_TRUE(pool.hash("third", [](const std::string&) {}));
  EXPECT_FALSE(pool.hash("fourth", [](const std::string&) { FAIL(); }));
  release.set_value();
}

}  // namespace
}  // namespace qylon::api
