#include "api/identity/qr_code.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace qylon::api {
namespace {

TEST(QrCode, IsTheSmallestThatHoldsTheTextAndItsQuietZone) {
  // ISO/IEC 18004: version 1 at level M holds 14 bytes in 21 modules, version 40 2,331 in 177;
  // 4 are left free on each side.
  for (const auto& [bytes, side] : {std::pair<std::size_t, int>(14, 29), {15, 33}, {2'331, 185}}) {
    const auto svg = qr_svg(std::string(bytes, 'a'));
    ASSERT_TRUE(svg);
    const std::string text = std::to_string(side);
    EXPECT_NE(svg->find("viewBox=\"0 0 " + text + " " + text + "\""), std::string::npos) << bytes;
  }
}

TEST(QrCode, BeginsWithTwoFinderPatterns) {
  // The upper edge of the finder patterns at 0 and 14 of 21 modules is seven dark ones.
  const auto svg = qr_svg("otpauth");
  ASSERT_TRUE(svg);
  EXPECT_NE(svg->find("d=\"M4 4h7v1h-7z"), std::string::npos) << *svg;
  EXPECT_NE(svg->find("M18 4h7v1h-7z"), std::string::npos) << *svg;
}

TEST(QrCode, GoesIntoADataUrlAsItIs) {
  const auto svg = qr_svg(std::string("#%\"<\0\xFF", 6));
  ASSERT_TRUE(svg);
  EXPECT_EQ(svg->find_first_of("#%\n\\"), std::string::npos);
}

TEST(QrCode, RefusesWhatNoCodeHolds) {
  EXPECT_FALSE(qr_svg(""));
  EXPECT_FALSE(qr_svg(std::string(2'332, 'a')));
}

}  // namespace
}  // namespace qylon::api
