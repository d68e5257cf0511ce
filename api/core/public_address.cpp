#include "api/core/public_address.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include <netinet/in.h>
#include <sys/socket.h>

namespace qylon::api {
namespace {

struct Block4 {
  std::uint32_t first;
  int bits;
};
constexpr std::array<Block4, 15> kSpecial4{{{0x00000000, 8},    // "this network"
                                            {0x0A000000, 8},    // 10/8
                                            {0x64400000, 10},   // 100.64/10, shared
                                            {0x7F000000, 8},    // loopback
                                            {0xA9FE0000, 16},   // link-local, metadata services
                                            {0xAC100000, 12},   // 172.16/12
                                            {0xC0000000, 24},   // IETF protocol assignments
                                            {0xC0000200, 24},   // documentation
                                            {0xC0586300, 24},   // 6to4 relays
                                            {0xC0A80000, 16},   // 192.168/16
                                            {0xC6120000, 15},   // benchmarking
                                            {0xC6336400, 24},   // documentation
                                            {0xCB007100, 24},   // documentation
                                            {0xE0000000, 4},    // multicast
                                            {0xF0000000, 4}}};  // reserved, broadcast

struct Block6 {
  std::array<std::uint8_t, 4> first;
  int bits;
};
// Of 2000::/3; all else is special already.
constexpr std::array<Block6, 4> kSpecial6{{{{0x20, 0x01, 0x00, 0x00}, 23},    // Teredo and others
                                           {{0x20, 0x01, 0x0D, 0xB8}, 32},    // documentation
                                           {{0x20, 0x02, 0x00, 0x00}, 16},    // 6to4
                                           {{0x3F, 0xFF, 0x00, 0x00}, 20}}};  // documentation

bool begins_with(std::uint32_t value, std::uint32_t first, int bits) noexcept {
  return ((value ^ first) >> (32 - bits)) == 0;
}
std::uint32_t big_endian(std::span<const std::uint8_t, 4> bytes) noexcept {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}

bool is_public4(std::uint32_t address) noexcept {
  return std::none_of(kSpecial4.begin(), kSpecial4.end(), [address](const Block4& block) {
    return begins_with(address, block.first, block.bits);
  });
}

bool is_public6(std::span<const std::uint8_t, 16> address) noexcept {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::equal(kMapped.begin(), kMapped.end(), address.begin()))
    return is_public4(big_endian(address.last<4>()));
  const std::uint32_t head = big_endian(address.first<4>());
  if (!begins_with(head, 0x20000000, 3)) return false;
  return std::none_of(kSpecial6.begin(), kSpecial6.end(), [head](const Block6& block) {
    return begins_with(head, big_endian(block.first), block.bits);
  });
}

}  // namespace

bool is_public_address(const sockaddr& address) noexcept {
  if (address.sa_family == AF_INET) {
    sockaddr_in found{};
    std::memcpy(&found, &address, sizeof found);
    return is_public4(ntohl(found.sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6) return false;
  sockaddr_in6 found{};
  std::memcpy(&found, &address, sizeof found);
  return is_public6(std::span<const std::uint8_t, 16>(found.sin6_addr.s6_addr));
}

}  // namespace qylon::api
