// Expected answers follow from the IANA special-purpose address registries.

#include "api/core/public_address.hpp"

#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/un.h>

namespace qylon::api {
namespace {

bool is_public(const std::string& text) {
  sockaddr_storage address{};
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&address);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address);
  if (text.find(':') == std::string::npos) {
    v4->sin_family = AF_INET;
    EXPECT_EQ(::inet_pton(AF_INET, text.c_str(), &v4->sin_addr), 1) << text;
  } else {
    v6->sin6_family = AF_INET6;
    EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr), 1) << text;
  }
  return is_public_address(reinterpret_cast<const sockaddr&>(address));
}

TEST(PublicAddress, IsNoneOfTheSpecialIpv4Blocks) {
  for (const char* text :
       {"0.0.0.0",         "0.255.255.255",  "10.0.0.1",        "10.255.255.255",  "100.64.0.0",
        "100.127.255.255", "127.0.0.1",      "127.255.255.255", "169.254.169.254", "172.16.0.1",
        "172.31.255.255",  "192.0.0.8",      "192.0.2.1",       "192.88.99.1",     "192.168.0.1",
        "198.18.0.1",      "198.19.255.255", "198.51.100.7",    "203.0.113.9",     "224.0.0.1",
        "239.255.255.255", "240.0.0.1",      "255.255.255.255"})
    EXPECT_FALSE(is_public(text)) << text;
}

TEST(PublicAddress, IsWhatLiesBesideThem) {
  for (const char* text : {"1.1.1.1",
                           "9.255.255.255",
                           "11.0.0.0",
                           "100.63.255.255",
                           "100.128.0.0",
                           "126.255.255.255",
                           "128.0.0.0",
                           "169.253.255.255",
                           "172.15.255.255",
                           "172.32.0.0",
                           "192.0.1.0",
                           "198.17.255.255",
                           "198.20.0.0",
                           "223.255.255.255"})
    EXPECT_TRUE(is_public(text)) << text;
}

TEST(PublicAddress, OfIpv6IsGlobalUnicastWithoutTheFormsThatCarryIpv4) {
  for (const char* text : {"::",
                           "::1",
                           "fe80::1",
                           "fc00::1",
                           "fd12:3456::1",
                           "ff02::1",
                           "64:ff9b::7f00:1",
                           "2001::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "3fff::1",
                           "::127.0.0.1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1"})
    EXPECT_FALSE(is_public(text)) << text;
  for (const char* text : {"2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1", "2001:200::1"})
    EXPECT_TRUE(is_public(text)) << text;
}

TEST(PublicAddress, IsOfNoOtherFamily) {
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  EXPECT_FALSE(is_public_address(reinterpret_cast<const sockaddr&>(local)));
}

}  // namespace
}  // namespace qylon::api
