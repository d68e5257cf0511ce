#include "realtime/peer_table.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "realtime/acceptor.hpp"

namespace qylon::realtime {
namespace {

const PeerAddress kRemote{"192.0.2.1", false};
const PeerAddress kOther{"192.0.2.2", false};
const PeerAddress kLocal{"127.0.0.1", true};

TEST(PeerTable, OneAddressHoldsOnlySoManyConnections) {
  PeerTable peers({100, 2, 1000});
  EXPECT_TRUE(peers.admit(kRemote, 0));
  EXPECT_TRUE(peers.admit(kRemote, 0));
  EXPECT_FALSE(peers.admit(kRemote, 0));
  EXPECT_TRUE(peers.admit(kOther, 0));
  peers.release(kRemote);
  EXPECT_TRUE(peers.admit(kRemote, 0));
}

TEST(PeerTable, OneAddressOpensOnlySoManyASecond) {
  PeerTable peers({1000, 1000, 20});
  int admitted = 0;
  while (peers.admit(kRemote, 0))
    ++admitted;
  EXPECT_EQ(admitted, 40);  // Two seconds' worth at once.
  EXPECT_FALSE(peers.admit(kRemote, 49'000));
  EXPECT_TRUE(peers.admit(kRemote, 51'000));
}

TEST(PeerTable, LoopbackKnowsOnlyTheCommonLimit) {
  PeerTable peers({3, 1, 1});
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(peers.admit(kLocal, 0));
  EXPECT_FALSE(peers.admit(kLocal, 0));
  EXPECT_FALSE(peers.admit(kRemote, 0));
  EXPECT_EQ(peers.connections(), 3U);
}

TEST(PeerAddress, ShowsIpv4InsideIpv6AsIpv4) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  const unsigned char mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127, 0, 0, 9};
  std::copy(std::begin(mapped), std::end(mapped), std::begin(address.sin6_addr.s6_addr));
  const PeerAddress peer = peer_address(&address);
  EXPECT_EQ(peer.text, "127.0.0.9");
  EXPECT_TRUE(peer.is_loopback);
  address.sin6_addr = in6addr_loopback;
  EXPECT_EQ(peer_address(&address).text, "::1");
  EXPECT_TRUE(peer_address(&address).is_loopback);
}

}  // namespace
}  // namespace qylon::realtime
