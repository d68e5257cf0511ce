#include "server/uplink_line.hpp"

#include <array>

#include <gtest/gtest.h>

namespace qylon::server {
namespace {

using State = realtime::UplinkClient::State;

UplinkView streaming() {
  UplinkView view;
  view.state = State::kStreaming;
  view.level_dbfs = -24.0F;
  view.progress = {.offered_ms = 75'400,
                   .sent_ms = 75'250,
                   .acknowledged_ms = 75'100,
                   .durable_ms = 75'000,
                   .dropped_ms = 0,
                   .connections = 1,
                   .disk_away = false};
  return view;
}

TEST(UplinkLine, TellsLevelSentAcknowledgedAndLag) {
  EXPECT_EQ(format_uplink_line(streaming()),
            "live       [######----] -24 dB  sent 1:15  acknowledged 1:15  lag 0.3 s");
}

TEST(UplinkLine, TellsHowLongAFileIs) {
  UplinkView view = streaming();
  view.total_ms = 80'000;
  EXPECT_NE(format_uplink_line(view).find("sent 1:15/1:20"), std::string::npos);
}

TEST(UplinkLine, FitsIntoEightyColumnsInTheFirstHour) {
  UplinkView view = streaming();
  view.total_ms = 3'599'000;
  view.level_dbfs = -100.0F;
  EXPECT_LT(format_uplink_line(view).size(), 80U);
}

TEST(UplinkLine, TellsWhatWasLostAndWhy) {
  UplinkView view = streaming();
  view.state = State::kWaiting;
  view.trouble = "connection refused";
  view.progress.dropped_ms = 2'500;
  const std::string line = format_uplink_line(view);
  EXPECT_EQ(line.find("lost"), 0U);
  EXPECT_NE(line.find("LOST 2.5 s"), std::string::npos);
  EXPECT_NE(line.find("(connection refused)"), std::string::npos);
}

TEST(UplinkLine, SaysConnectingBeforeTheFirstWelcome) {
  EXPECT_EQ(format_uplink_line({}).find("connecting"), 0U);
}

TEST(FormatDuration, HasHoursOnlyWhenThereAreSome) {
  EXPECT_EQ(format_duration(0), "0:00");
  EXPECT_EQ(format_duration(75'250), "1:15");
  EXPECT_EQ(format_duration(3'675'000), "1:01:15");
}

TEST(LevelMeter, GivesTheLoudestBlockSinceTheLastLook) {
  LevelMeter meter;
  std::array<float, 960> half{};
  half.fill(0.5F);
  std::array<float, 960> tenth{};
  tenth.fill(0.1F);
  meter.add(half);
  meter.add(tenth);
  // 20 log10 0.5 and 20 log10 0.1.
  EXPECT_NEAR(meter.take_dbfs(), -6.02F, 0.01F);
  meter.add(tenth);
  EXPECT_NEAR(meter.take_dbfs(), -20.0F, 0.01F);
  EXPECT_EQ(meter.take_dbfs(), -100.0F);
}

}  // namespace
}  // namespace qylon::server
