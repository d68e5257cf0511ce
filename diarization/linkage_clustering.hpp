#pragma once

#include <span>
#include <vector>

namespace qylon::diarization {

struct LinkageOptions {
  float similarity_min = 0.25F;  ///< Mean cosine between two groups below which they stay apart.
  float weight_min = 3.0F;       ///< Lighter groups are given to the nearest heavier one.
};

/// Groups unit vectors by average linkage: for the first half minute, when there are too few points
/// for a neighbourhood graph.
///
/// Input  : float32[count, size] row-major, L2 norm 1; float32[count] weights.
/// Output : for each point its group, 0..groups - 1, every group used.
/// Cost   : count^2 * size + count^3 multiply-adds; meant for up to 60 points.
/// Source : Sokal & Michener 1958 (UPGMA).
std::vector<int> linkage_clusters(std::span<const float> points,
                                  int size,
                                  std::span<const float> weights,
                                  const LinkageOptions& options);

/// The same groups, numbered 0, 1, ... in the order of first appearance.
std::vector<int> renumbered(std::vector<int> labels);

}  // namespace qylon::diarization
