#pragma once

#include <vector>

namespace qylon::diarization {

/// The same groups, numbered 0, 1, ... in the order of first appearance.
std::vector<int> renumbered(std::vector<int> labels);

}  // namespace qylon::diarization
