#include "realtime/outbox.hpp"

#include <string>

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

Frame frame(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}
Delivery interim(const std::string& text, std::uint64_t key) {
  return {MeetingId{}, Epoch{}, Topic::kCaptions, frame(text), std::nullopt, key, 0};
}
Delivery final_of(const std::string& text, std::uint64_t key) {
  return {MeetingId{}, Epoch{}, Topic::kCaptions, frame(text), 1, key, 0};
}
std::string drain(Outbox& outbox) {
  std::string out;
  while (!outbox.empty()) {
    std::string piece;
    outbox.take(1 << 20, piece);
    out += piece;
  }
  return out;
}

TEST(Outbox, MergesWhatWaitsIntoOneWrite) {
  Outbox outbox;
  outbox.push(frame("a"), 0);
  outbox.push(frame("b"), 0);
  std::string out;
  outbox.take(100, out);
  EXPECT_EQ(out, "ab");
  EXPECT_TRUE(outbox.empty());
}

TEST(Outbox, TakesWholeFramesUpToTheLimitAndAtLeastOne) {
  Outbox outbox;
  for (const char* const text : {"aaaa", "bbbb", "cccc"})
    outbox.push(frame(text), 0);
  std::string out;
  outbox.take(9, out);
  EXPECT_EQ(out, "aaaabbbb");
  out.clear();
  outbox.take(1, out);
  EXPECT_EQ(out, "cccc");
}

TEST(Outbox, ANewerInterimReplacesTheOlderInItsPlace) {
  Outbox outbox;
  outbox.push(interim("old1 ", 1), 0);
  outbox.push(interim("two ", 2), 0);
  EXPECT_EQ(outbox.push(interim("new1 ", 1), 0), Outbox::Pushed::kReplaced);
  EXPECT_EQ(drain(outbox), "new1 two ");
}

TEST(Outbox, AFinalTakesTheInterimOfItsSegmentAway) {
  Outbox outbox;
  outbox.push(interim("interim1 ", 1), 0);
  outbox.push(interim("interim2 ", 2), 0);
  outbox.push(final_of("final1 ", 1), 0);
  EXPECT_EQ(drain(outbox), "interim2 final1 ");
}

TEST(Outbox, AFinalIsNeverReplaced) {
  Outbox outbox;
  outbox.push(final_of("final ", 1), 0);
  outbox.push(interim("interim ", 1), 0);
  outbox.push(final_of("again ", 1), 0);
  EXPECT_EQ(drain(outbox), "final again ");
}

TEST(Outbox, OverTheSoftLimitOnlyReplacementsAndFinalsEnter) {
  Outbox outbox({100, 1000, 1});
  outbox.push(interim(std::string(101, 'x'), 1), 0);
  EXPECT_EQ(outbox.push(interim("y", 2), 0), Outbox::Pushed::kDropped);
  EXPECT_EQ(outbox.push(interim("z", 1), 0), Outbox::Pushed::kReplaced);
  outbox.push(final_of(std::string(101, 'x'), 3), 0);
  EXPECT_EQ(outbox.push(final_of("f", 4), 0), Outbox::Pushed::kQueued);
}

TEST(Outbox, OverTheHardLimitItOverflows) {
  Outbox outbox({100, 1000, 1});
  EXPECT_EQ(outbox.push(frame(std::string(1000, 'x')), 0), Outbox::Pushed::kQueued);
  EXPECT_EQ(outbox.push(frame("x"), 0), Outbox::Pushed::kOverflow);
  EXPECT_EQ(outbox.bytes(), 1000U);
}

TEST(Outbox, TheOldestFrameTellsThatTheReaderIsTooSlow) {
  Outbox outbox;
  EXPECT_FALSE(outbox.too_slow(100'000'000));
  outbox.push(interim("a", 1), 0);
  outbox.push(interim("b", 1), 9'000'000);  // Replaced: the age stays.
  EXPECT_FALSE(outbox.too_slow(10'000'000));
  EXPECT_TRUE(outbox.too_slow(10'000'001));
}

TEST(Outbox, KeepsOrderThroughManyPartialTakes) {
  Outbox outbox;
  std::string expected;
  std::string got;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = std::to_string(i) + ",";
    expected += text;
    outbox.push(frame(text), i);
    if (i % 3 == 0) outbox.take(got.size() + 5, got);
  }
  got += drain(outbox);
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace qylon::realtime
