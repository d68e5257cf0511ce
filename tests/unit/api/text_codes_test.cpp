#include "api/identity/text_codes.hpp"

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

TEST(TextCodes, AreThoseOfRfc4648) {  // Section 10.
  EXPECT_EQ(base32(""), "");
  EXPECT_EQ(base32("f"), "MY");
  EXPECT_EQ(base32("fo"), "MZXQ");
  EXPECT_EQ(base32("foo"), "MZXW6");
  EXPECT_EQ(base32("foob"), "MZXW6YQ");
  EXPECT_EQ(base32("foobar"), "MZXW6YTBOI");
  EXPECT_EQ(base64url("f"), "Zg");
  EXPECT_EQ(base64url("fo"), "Zm8");
  EXPECT_EQ(base64url("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64url("\xfb\xff"), "-_8");
  EXPECT_EQ(hex("foobar"), "666f6f626172");
}

TEST(TextCodes, AreReadBack) {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar", "\xfb\xff\x01"}) {
    EXPECT_EQ(parse_base64url(base64url(text)), text);
    EXPECT_EQ(parse_hex(hex(text)), text);
  }
}

TEST(TextCodes, HaveOneTextForOneValue) {
  EXPECT_FALSE(parse_base64url("Zh"));    // "f" with bits behind its end.
  EXPECT_FALSE(parse_base64url("Zg=="));  // Padding.
  EXPECT_FALSE(parse_base64url("Z"));     // Six bits are no byte.
  EXPECT_FALSE(parse_base64url("Zm9v\n"));
  EXPECT_FALSE(parse_base64url("+/8"));  // The other alphabet.
  EXPECT_FALSE(parse_hex("6"));
  EXPECT_FALSE(parse_hex("6G"));
}

}  // namespace
}  // namespace qylon::api
