#include "realtime/memory_watch.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace qylon::realtime {
namespace {

using Level = MemoryWatch::Level;

struct Watched {
  std::size_t taken = 0;
  int asked = 0;
  MemoryWatch watch{{1000, [this] {
                       ++asked;
                       return taken;
                     }}};
};

TEST(MemoryWatch, RefusesOverFourFifthsAndShedsOverNineTenths) {
  Watched world;
  std::vector<Level> levels;
  std::int64_t now_us = 0;
  for (const std::size_t taken : {800U, 801U, 900U, 901U, 5000U, 0U}) {
    world.taken = taken;
    levels.push_back(world.watch.level(now_us += 1'000'000));
  }
  EXPECT_EQ(levels,
            (std::vector<Level>{Level::kFine,
                                Level::kRefuseNew,
                                Level::kRefuseNew,
                                Level::kShedSlow,
                                Level::kShedSlow,
                                Level::kFine}));
}

TEST(MemoryWatch, MeasuresOnceASecond) {
  Watched world;
  world.taken = 950;
  EXPECT_EQ(world.watch.level(1), Level::kShedSlow);
  world.taken = 0;
  EXPECT_EQ(world.watch.level(1'000'000), Level::kShedSlow);
  EXPECT_EQ(world.asked, 1);
  EXPECT_EQ(world.watch.level(1'000'001), Level::kFine);
}

TEST(MemoryWatch, ThisProcessTakesLessThanTheMachineHas) {
  EXPECT_GT(resident_bytes(), 1U << 20);
  EXPECT_GT(memory_of_machine_bytes(), resident_bytes());
}

}  // namespace
}  // namespace qylon::realtime
