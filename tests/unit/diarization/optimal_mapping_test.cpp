#include "diarization/optimal_mapping.hpp"

#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace qylon::diarization {
namespace {

double value_of(const std::vector<double>& values, int columns, const std::vector<int>& mapping) {
  double sum = 0;
  for (std::size_t row = 0; row < mapping.size(); ++row) {
    if (mapping[row] < 0 || mapping[row] >= columns) continue;
    sum += values[row * static_cast<std::size_t>(columns) + static_cast<std::size_t>(mapping[row])];
  }
  return sum;
}

/// Tries every permutation of the larger side.
double best_value(const std::vector<double>& values, int rows, int columns) {
  std::vector<int> order(static_cast<std::size_t>(std::max(rows, columns)));
  std::iota(order.begin(), order.end(), 0);
  double best = 0;
  do {
    const std::vector<int> mapping(order.begin(), order.begin() + rows);
    best = std::max(best, value_of(values, columns, mapping));
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST(OptimalMapping, IsAsGoodAsTheBestPermutation) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int rows = 1; rows <= 6; ++rows) {
    for (int columns = 1; columns <= 6; ++columns) {
      std::vector<double> values(static_cast<std::size_t>(rows * columns));
      std::generate(values.begin(), values.end(), [&] { return uniform(random); });
      const std::vector<int> mapping = optimal_mapping(values, rows, columns);
      EXPECT_NEAR(value_of(values, columns, mapping), best_value(values, rows, columns), 1e-9);
    }
  }
}

TEST(OptimalMapping, LeavesRowsOverWhenThereAreTooFewColumns) {
  const std::vector<double> values = {1, 5, 3};
  EXPECT_EQ(optimal_mapping(values, 3, 1), (std::vector<int>{-1, 0, -1}));
  EXPECT_EQ(optimal_mapping({}, 2, 0), (std::vector<int>{-1, -1}));
  EXPECT_TRUE(optimal_mapping({}, 0, 3).empty());
}

}  // namespace
}  // namespace qylon::diarization
