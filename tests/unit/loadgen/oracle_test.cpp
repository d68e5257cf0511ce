#include <gtest/gtest.h>

#include "bench/loadgen/caption_oracle.hpp"
#include "bench/loadgen/uplink_oracle.hpp"

namespace qylon::loadgen {
namespace {

using realtime::UplinkReply;

UplinkReply welcome(std::uint64_t next_seq) {
  UplinkReply reply;
  reply.kind = UplinkReply::Kind::kWelcome;
  reply.next_seq = next_seq;
  return reply;
}
UplinkReply ack(std::uint64_t next_seq, std::optional<std::uint64_t> durable) {
  UplinkReply reply;
  reply.kind = UplinkReply::Kind::kAck;
  reply.next_seq = next_seq;
  reply.durable = durable;
  return reply;
}

class UplinkOracleTest : public ::testing::Test {
 protected:
  void send(std::uint64_t first, std::uint64_t end, std::int64_t now_us) {
    for (std::uint64_t seq = first; seq < end; ++seq)
      oracle_.on_sent(seq, now_us);
  }
  UplinkOracle oracle_{"uplink 0"};
};

TEST_F(UplinkOracleTest, AnHonestServerBreaksNothing) {
  oracle_.on_reply(welcome(0), 0);
  send(0, 10, 1000);
  oracle_.on_reply(ack(10, 4), 51'000);
  oracle_.on_reply(ack(10, 10), 101'000);
  EXPECT_EQ(oracle_.findings().count(), 0U);
  EXPECT_EQ(oracle_.durable(), 10U);
  EXPECT_EQ(oracle_.settle_times().count(), 10U);
  EXPECT_NEAR(oracle_.settle_times().at_ms(1.0), 50.0, 6.3);
  EXPECT_NEAR(oracle_.durable_times().at_ms(0.4), 50.0, 6.3);
  EXPECT_NEAR(oracle_.durable_times().at_ms(1.0), 100.0, 12.5);
}

TEST_F(UplinkOracleTest, AnAcknowledgementOfWhatWasNeverSentIsFound) {
  oracle_.on_reply(welcome(0), 0);
  send(0, 3, 0);
  oracle_.on_reply(ack(4, 2), 0);
  EXPECT_EQ(oracle_.findings().count(), 1U);
  oracle_.on_reply(ack(4, 5), 0);
  EXPECT_EQ(oracle_.findings().count(), 2U);
}

TEST_F(UplinkOracleTest, AnAcknowledgementThatGoesBackIsFound) {
  oracle_.on_reply(welcome(0), 0);
  send(0, 9, 0);
  oracle_.on_reply(ack(9, 8), 0);
  oracle_.on_reply(ack(9, 7), 0);
  EXPECT_EQ(oracle_.findings().count(), 1U);
  oracle_.on_reply(ack(8, 8), 0);
  EXPECT_EQ(oracle_.findings().count(), 2U);
}

TEST_F(UplinkOracleTest, AfterAReconnectTimesCountFromTheLastSending) {
  oracle_.on_reply(welcome(0), 0);
  send(0, 5, 0);
  oracle_.on_reply(welcome(2), 1'000'000);
  send(2, 5, 1'000'000);
  oracle_.on_reply(ack(5, 5), 1'100'000);
  EXPECT_EQ(oracle_.frames_again(), 3U);
  EXPECT_EQ(oracle_.welcomes(), 2U);
  EXPECT_NEAR(oracle_.settle_times().at_ms(0.5), 100.0, 12.5);
  EXPECT_EQ(oracle_.findings().count(), 0U);
}

TEST_F(UplinkOracleTest, ADiskThatIsAwayIsCountedAndIsNoFault) {
  oracle_.on_reply(welcome(0), 0);
  send(0, 5, 0);
  oracle_.on_reply(ack(5, 3), 0);
  oracle_.on_reply(ack(5, std::nullopt), 0);
  EXPECT_EQ(oracle_.disk_away(), 1U);
  EXPECT_EQ(oracle_.durable(), 3U);
  EXPECT_EQ(oracle_.findings().count(), 0U);
}

ViewerMessage position(std::uint64_t offset, bool recovered = true, std::string epoch = "e") {
  ViewerMessage message;
  message.kind = ViewerMessage::Kind::kPosition;
  message.position = {std::move(epoch), offset};
  message.recovered = recovered;
  return message;
}
ViewerMessage final_caption(std::uint64_t offset, std::string text = "word") {
  ViewerMessage message;
  message.kind = ViewerMessage::Kind::kFinal;
  message.position.offset = offset;
  message.content = std::hash<std::string>{}(text);
  message.text = std::move(text);
  return message;
}

class ViewerOracleTest : public ::testing::Test {
 protected:
  void hear(std::initializer_list<ViewerMessage> messages) {
    for (const ViewerMessage& message : messages)
      oracle_.on_message(message, 0);
  }
  CaptionUnion all_;
  ViewerOracle oracle_{"viewer 0", 0, all_};
};

TEST_F(ViewerOracleTest, DenseOffsetsOverTwoConnectionsAreRight) {
  hear({position(2), final_caption(1), final_caption(2), final_caption(3)});
  hear({position(5), final_caption(4), final_caption(5)});
  EXPECT_EQ(oracle_.findings().count(), 0U);
  EXPECT_EQ(oracle_.position()->offset, 5U);
  EXPECT_EQ(oracle_.delays().count(), 1U) << "only offset 3 was live";
}

TEST_F(ViewerOracleTest, AGapIsFound) {
  hear({position(0), final_caption(1), final_caption(3)});
  EXPECT_EQ(oracle_.findings().count(), 1U);
}

TEST_F(ViewerOracleTest, ADuplicateIsFound) {
  hear({position(0), final_caption(1), final_caption(1)});
  EXPECT_EQ(oracle_.findings().count(), 1U);
}

TEST_F(ViewerOracleTest, AMeetingThatBeginsAnewIsFound) {
  hear({position(1), final_caption(1), position(0, false, "f")});
  EXPECT_EQ(oracle_.findings().count(), 1U);
}

TEST_F(ViewerOracleTest, APositionThatGoesBackIsFound) {
  hear({position(2), final_caption(1), final_caption(2), position(1)});
  EXPECT_EQ(oracle_.findings().count(), 1U);
}

TEST_F(ViewerOracleTest, TwoViewersThatHearDifferentWordsAreFound) {
  hear({position(0), final_caption(1, "one")});
  ViewerOracle other("viewer 1", 0, all_);
  other.on_message(position(1), 0);
  other.on_message(final_caption(1, "two"), 0);
  EXPECT_EQ(other.findings().count(), 1U);
}

TEST_F(ViewerOracleTest, ATranscriptMustHoldWhatWasHeardOnce) {
  hear({position(0), final_caption(1, "one"), final_caption(2, ""), final_caption(3, "three")});
  const auto one = final_caption(1, "one");
  const auto three = final_caption(3, "three");
  EXPECT_EQ(all_.compare({one, three}).count(), 0U) << "an empty final is in no transcript";
  EXPECT_EQ(all_.compare({one}).count(), 1U) << "lost";
  EXPECT_EQ(all_.compare({one, one, three}).count(), 1U) << "twice";
  EXPECT_EQ(all_.compare({one, final_caption(3, "other")}).count(), 1U) << "different";
  EXPECT_EQ(all_.compare({one, three, final_caption(4)}).count(), 1U) << "never heard";
}

TEST(Percentiles, AreAtMostAnEighthAboveTheTruth) {
  Percentiles percentiles;
  for (std::int64_t us = 1; us <= 100'000; ++us)
    percentiles.add(us);
  for (const double fraction : {0.01, 0.5, 0.99, 1.0}) {
    const double truth_ms = fraction * 100.0;
    EXPECT_GE(percentiles.at_ms(fraction), truth_ms);
    EXPECT_LE(percentiles.at_ms(fraction), truth_ms * 1.126);
  }
  EXPECT_EQ(Percentiles{}.at_ms(0.5), 0.0);
}

}  // namespace
}  // namespace qylon::loadgen
