#include "realtime/newcomers.hpp"

#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

constexpr std::int64_t kOver = Newcomers::kPatienceUs + 1;

TEST(Newcomers, AreFullAtTheirMost) {
  Gauge count;
  Newcomers newcomers(2, count);
  Newcomers::Place first(newcomers, 0);
  EXPECT_FALSE(newcomers.is_full());
  std::optional<Newcomers::Place> second(std::in_place, newcomers, 0);
  EXPECT_TRUE(newcomers.is_full());
  second.reset();
  EXPECT_FALSE(newcomers.is_full());
  first.leave();
  first.leave();
  EXPECT_EQ(count.value(), 0);
}

TEST(Newcomers, HaveAllTheTimeOfTheWorldWhileThereAreFew) {
  Gauge count;
  Newcomers newcomers(4, count);
  const Newcomers::Place only(newcomers, 0);
  EXPECT_FALSE(only.is_over(1000 * kOver));
}

TEST(Newcomers, HaveASecondWhileThereAreMany) {
  Gauge count;
  Newcomers newcomers(4, count);
  const Newcomers::Place early(newcomers, 0);
  const Newcomers::Place late(newcomers, 1);
  EXPECT_FALSE(early.is_over(kOver - 1));
  EXPECT_TRUE(early.is_over(kOver));
  EXPECT_FALSE(late.is_over(kOver));
}

TEST(Newcomers, AreCountedOnceHoweverTheirPlaceMoves) {
  Gauge count;
  Newcomers newcomers(4, count);
  {
    Newcomers::Place place(newcomers, 0);
    std::vector<Newcomers::Place> places;
    places.push_back(std::move(place));
    EXPECT_TRUE(places.back().held());
    EXPECT_EQ(count.value(), 1);
    places.back() = Newcomers::Place(newcomers, 5);
    EXPECT_EQ(count.value(), 1);
  }
  EXPECT_EQ(count.value(), 0);
}

}  // namespace
}  // namespace qylon::realtime
