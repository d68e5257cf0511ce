#include "api/files/signed_link.hpp"

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

constexpr const char* kFile = "11111111-2222-4333-8444-555555555555";

TEST(SignedLinks, NameTheirFileUntilTheyAreOver) {
  const SignedLinks links("secret");
  const std::string token = links.make(kFile, 1000);
  EXPECT_EQ(links.open(token, 999), kFile);
  EXPECT_EQ(links.open(token, 1000), std::nullopt);
}

TEST(SignedLinks, OpenNothingThatWasChangedInAnyPlace) {
  const SignedLinks links("secret");
  const std::string token = links.make(kFile, 1000);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == '1' ? '2' : '1';
    EXPECT_EQ(links.open(changed, 1), std::nullopt) << i;
  }
  for (std::size_t i = 0; i < token.size(); ++i)
    EXPECT_EQ(links.open(token.substr(0, i), 1), std::nullopt) << i;
  EXPECT_EQ(SignedLinks("other").open(token, 1), std::nullopt);
}

}  // namespace
}  // namespace qylon::api
