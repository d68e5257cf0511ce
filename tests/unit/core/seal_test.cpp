#include "core/seal.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace qylon {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// Source: McGrew, Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B, test case 16:
/// key, nonce, associated data, and the sealed form of the plain text.
TEST(SealKey, OpensThePublishedTestCase) {
  const std::array<std::uint8_t, 32> key{0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c,
                                         0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08,
                                         0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c,
                                         0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08};
  const Bytes context{0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
                      0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
  Bytes sealed{
      0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88,  // Nonce.
      0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3,  // Cipher text.
      0x2a, 0x84, 0x42, 0x7d, 0x64, 0x3a, 0x8c, 0xdc, 0xbf, 0xe5, 0xc0, 0xc9, 0x75,
      0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa, 0x8c, 0xb0, 0x8e, 0x48, 0x59, 0x0d,
      0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38, 0xc5, 0xf6, 0x1e,
      0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc, 0xc9, 0xf6, 0x62, 0x76, 0xfc, 0x6e, 0xce,
      0x0f, 0x4e, 0x17, 0x68, 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b};  // Its last 16 bytes
                                                                                // are the tag.
  ASSERT_TRUE(SealKey(key).open(context, sealed));
  ASSERT_EQ(sealed.size(), 60U);
  EXPECT_EQ(sealed.front(), 0xd9);
  EXPECT_EQ(sealed.back(), 0x39);
}

TEST(SealKey, WhatIsSealedOpensAgain) {
  const SealKey key = SealKey::random();
  const Bytes context{1, 2, 3};
  for (const std::size_t size : {0U, 1U, 1000U}) {
    const Bytes plain(size, 7);
    Bytes data = plain;
    key.seal(context, data);
    EXPECT_EQ(data.size(), size + SealKey::kOverheadBytes);
    ASSERT_TRUE(key.open(context, data));
    EXPECT_EQ(data, plain);
  }
}

TEST(SealKey, TheSameTextIsNeverSealedTheSameWay) {
  const SealKey key = SealKey::random();
  Bytes first(16, 0);
  Bytes second(16, 0);
  key.seal({}, first);
  key.seal({}, second);
  EXPECT_NE(first, second);
}

TEST(SealKey, AnyFlippedBitAnotherContextAndAnotherKeyAreNoticed) {
  const SealKey key = SealKey::random();
  const Bytes context{1};
  Bytes sealed{5, 6};
  key.seal(context, sealed);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes damaged = sealed;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(key.open(context, damaged));
    EXPECT_TRUE(damaged.empty());
  }
  Bytes copy = sealed;
  EXPECT_FALSE(key.open(Bytes{2}, copy));
  copy = sealed;
  EXPECT_FALSE(SealKey::random().open(context, copy));
  copy.assign(SealKey::kOverheadBytes - 1, 0);
  EXPECT_FALSE(key.open(context, copy));
}

}  // namespace
}  // namespace qylon
