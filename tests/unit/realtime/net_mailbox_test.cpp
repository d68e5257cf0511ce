#include "realtime/net_mailbox.hpp"

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

DeliveryPtr delivery(std::uint64_t key, std::optional<std::uint64_t> offset, std::uint64_t serial) {
  return std::make_shared<const Delivery>(
      Delivery{MeetingId{}, Epoch{}, Topic::kCaptions, make_text_frame("x"), offset, key, serial});
}

TEST(NetMailbox, WakesTheOwnerOncePerTake) {
  NetMailbox mailbox(8);
  int wakes = 0;
  mailbox.open([&wakes] { ++wakes; });
  mailbox.push(delivery(0, 1, 1));
  mailbox.post([] {});
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(mailbox.take().tasks.size(), 1U);
  mailbox.post([] {});
  EXPECT_EQ(wakes, 2);
}

TEST(NetMailbox, MailBeforeTheOwnerIsReadyWakesItThen) {
  NetMailbox mailbox(8);
  mailbox.post([] {});
  int wakes = 0;
  mailbox.open([&wakes] { ++wakes; });
  EXPECT_EQ(wakes, 1);
}

TEST(NetMailbox, ANewerInterimReplacesTheOlder) {
  NetMailbox mailbox(8);
  mailbox.push(delivery(7, std::nullopt, 1));
  EXPECT_EQ(mailbox.push(delivery(7, std::nullopt, 2)), NetMailbox::Pushed::kReplaced);
  const auto mail = mailbox.take();
  ASSERT_EQ(mail.deliveries.size(), 1U);
  EXPECT_EQ(mail.deliveries[0]->serial, 2U);
}

TEST(NetMailbox, WhenFullInterimsAreDroppedButReplacementsEnter) {
  NetMailbox mailbox(1);
  mailbox.push(delivery(7, std::nullopt, 1));
  EXPECT_EQ(mailbox.push(delivery(8, std::nullopt, 2)), NetMailbox::Pushed::kDropped);
  EXPECT_EQ(mailbox.push(delivery(7, std::nullopt, 3)), NetMailbox::Pushed::kReplaced);
  EXPECT_FALSE(mailbox.take().finals_lost);
}

TEST(NetMailbox, AFinalThatDoesNotFitIsToldOnce) {
  NetMailbox mailbox(1);
  mailbox.push(delivery(1, 1, 1));
  EXPECT_EQ(mailbox.push(delivery(2, 2, 2)), NetMailbox::Pushed::kDropped);
  EXPECT_TRUE(mailbox.take().finals_lost);
  EXPECT_FALSE(mailbox.take().finals_lost);
}

TEST(NetMailbox, ClosedItTakesNothingAndWakesNobody) {
  NetMailbox mailbox(8);
  int wakes = 0;
  mailbox.open([&wakes] { ++wakes; });
  mailbox.close();
  EXPECT_FALSE(mailbox.post([] {}));
  EXPECT_EQ(mailbox.push(delivery(0, 1, 1)), NetMailbox::Pushed::kDropped);
  EXPECT_EQ(wakes, 0);
  EXPECT_TRUE(mailbox.take().tasks.empty());
}

}  // namespace
}  // namespace qylon::realtime
