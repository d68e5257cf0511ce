#include "api/identity/totp.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

const std::string kSecret = "12345678901234567890";

TEST(Totp, GivesTheCodesOfRfc6238) {  // Appendix B, SHA-1.
  const auto code = [](std::uint64_t seconds) { return hotp(kSecret, seconds / 30, 8); };
  EXPECT_EQ(code(59), "94287082");
  EXPECT_EQ(code(1111111109), "07081804");
  EXPECT_EQ(code(1111111111), "14050471");
  EXPECT_EQ(code(1234567890), "89005924");
  EXPECT_EQ(code(2000000000), "69279037");
  EXPECT_EQ(code(20000000000), "65353130");
}

TEST(Totp, GivesTheCodesOfRfc4226) {  // Appendix D.
  EXPECT_EQ(hotp(kSecret, 0), "755224");
  EXPECT_EQ(hotp(kSecret, 1), "287082");
  EXPECT_EQ(hotp(kSecret, 9), "520489");
}

TEST(Totp, TakesTheStepBeforeAndTheOneAfter) {
  constexpr std::int64_t kNow = 3000;  // Step 100.
  EXPECT_EQ(totp_step(kSecret, hotp(kSecret, 99), kNow, 0), 99U);
  EXPECT_EQ(totp_step(kSecret, hotp(kSecret, 100), kNow, 0), 100U);
  EXPECT_EQ(totp_step(kSecret, hotp(kSecret, 101), kNow, 0), 101U);
  EXPECT_FALSE(totp_step(kSecret, hotp(kSecret, 98), kNow, 0));
  EXPECT_FALSE(totp_step(kSecret, hotp(kSecret, 102), kNow, 0));
  EXPECT_FALSE(totp_step(kSecret, "", kNow, 0));
}

TEST(Totp, TakesNoCodeTwice) {
  constexpr std::int64_t kNow = 3000;
  EXPECT_FALSE(totp_step(kSecret, hotp(kSecret, 100), kNow, 100));
  EXPECT_FALSE(totp_step(kSecret, hotp(kSecret, 99), kNow, 100));
  EXPECT_EQ(totp_step(kSecret, hotp(kSecret, 101), kNow, 100), 101U);
}

TEST(Totp, TellsTheAppWhatItNeeds) {
  EXPECT_EQ(totp_uri("My Qylon", "a+b@c.de", "foobar"),
            "otpauth://totp/My%20Qylon:a%2Bb%40c.de?secret=MZXW6YTBOI&issuer=My%20Qylon");
}

TEST(RecoveryCodes, AreTenDifferentOnesThatPeopleCanType) {
  const auto codes = new_recovery_codes();
  EXPECT_EQ(std::set<std::string>(codes.begin(), codes.end()).size(), 10U);
  for (const std::string& code : codes) {
    ASSERT_EQ(code.size(), 11U);
    EXPECT_EQ(code[5], '-');
    EXPECT_EQ(canonical_recovery_code(code).size(), 10U);
  }
  EXPECT_EQ(canonical_recovery_code(" ABcde FGHij"), "abcdefghij");
  EXPECT_EQ(canonical_recovery_code("abcde-fghij"), "abcdefghij");
}

}  // namespace
}  // namespace qylon::api
