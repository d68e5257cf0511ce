#include "diarization/optimal_mapping.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "core/check.hpp"

namespace qylon::diarization {
namespace {

/// A square assignment problem, rows and columns from 1; 0 stands for "none".
class Assignment {
 public:
  Assignment(std::span<const double> values, int rows, int columns)
      : values_(values),
        rows_(static_cast<std::size_t>(rows)),
        columns_(static_cast<std::size_t>(columns)),
        size_(std::max(rows_, columns_)),
        row_potential_(size_ + 1),
        column_potential_(size_ + 1),
        row_of_(size_ + 1),
        previous_(size_ + 1),
        slack_(size_ + 1),
        visited_(size_ + 1) {}

  std::vector<int> solve() {
    for (std::size_t row = 1; row <= size_; ++row)
      augment(row);
    std::vector<int> column_of(rows_, -1);
    for (std::size_t column = 1; column <= columns_; ++column) {
      if (row_of_[column] <= rows_) column_of[row_of_[column] - 1] = static_cast<int>(column) - 1;
    }
    return column_of;
  }

 private:
  double cost(std::size_t row, std::size_t column) const {
    if (row > rows_ || column > columns_) return 0.0;  // Padding to a square.
    return -values_[(row - 1) * columns_ + column - 1];
  }

  /// Gives `row` a column along the cheapest path of exchanges.
  void augment(std::size_t row) {
    row_of_[0] = row;
    std::fill(slack_.begin(), slack_.end(), std::numeric_limits<double>::infinity());
    std::fill(visited_.begin(), visited_.end(), false);
    std::size_t column = 0;
    while (row_of_[column] != 0)
      column = advance(column);
    while (column != 0) {
      row_of_[column] = row_of_[previous_[column]];
      column = previous_[column];
    }
  }

  /// Visits `column`, updates the slacks and potentials, and returns the nearest unvisited column.
  std::size_t advance(std::size_t column) {
    visited_[column] = true;
    const std::size_t row = row_of_[column];
    std::size_t nearest = 0;
    double step = std::numeric_limits<double>::infinity();
    for (std::size_t other = 1; other <= size_; ++other) {
      if (visited_[other]) continue;
      const double reduced = cost(row, other) - row_potential_[row] - column_potential_[other];
      if (reduced < slack_[other]) {
        slack_[other] = reduced;
        previous_[other] = column;
      }
      if (slack_[other] < step) {
        step = slack_[other];
        nearest = other;
      }
    }
    QYLON_CHECK(nearest != 0);  // A square problem with finite costs always has a next column.
    for (std::size_t other = 0; other <= size_; ++other) {
      if (visited_[other]) {
        row_potential_[row_of_[other]] += step;
        column_potential_[other] -= step;
      } else {
        slack_[other] -= step;
      }
    }
    return nearest;
  }

  std::span<const double> values_;
  std::size_t rows_;
  std::size_t columns_;
  std::size_t size_;
  std::vector<double> row_potential_;
  std::vector<double> column_potential_;
  std::vector<std::size_t> row_of_;    // [column] its row; [0] the row being placed.
  std::vector<std::size_t> previous_;  // [column] the column before it on the path.
  std::vector<double> slack_;
  std::vector<bool> visited_;
};

}  // namespace

std::vector<int> optimal_mapping(std::span<const double> values, int rows, int columns) {
  QYLON_CHECK(rows >= 0 && columns >= 0);
  QYLON_CHECK(values.size() == static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
  return Assignment(values, rows, columns).solve();
}

}  // namespace qylon::diarization
