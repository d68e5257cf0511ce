#pragma once

#include <span>
#include <vector>

namespace qylon::diarization {

/// One-to-one mapping of rows to columns with the greatest sum of values.
///
/// Input  : float64[rows, columns] row-major, finite.
/// Output : for each row its column, or -1 when there are more rows than columns and it got none.
/// Cost   : O(n^3), n = max(rows, columns).
/// Source : H. W. Kuhn, "The Hungarian method for the assignment problem", 1955, in the form with
///          potentials and shortest augmenting paths (Jonker & Volgenant 1987).
std::vector<int> optimal_mapping(std::span<const double> values, int rows, int columns);

}  // namespace qylon::diarization
