#include "server/settings.hpp"

#include <gtest/gtest.h>

namespace qylon::server {
namespace {

TEST(Ports, AreReadBetweenCommas) {
  EXPECT_EQ(parse_ports("3001,3002").value(), (std::vector<int>{3001, 3002}));
  EXPECT_TRUE(parse_ports("").value().empty());
}

TEST(Ports, ThatAreNoneAreRefused) {
  for (const char* text : {"0", "65536", "-1", "x", "3001 ", "3001:3002"})
    EXPECT_FALSE(parse_ports(text)) << text;
  EXPECT_FALSE(parse_ports("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"));
}

TEST(Services, AreNamedAndKnown) {
  EXPECT_EQ(parse_services("users,clients").value(),
            (std::vector<std::string>{"users", "clients"}));
  EXPECT_TRUE(parse_services("").value().empty());
  EXPECT_FALSE(parse_services("users,sales"));
}

}  // namespace
}  // namespace qylon::server
