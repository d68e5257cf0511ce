#include "diarization/group_numbers.hpp"

#include <map>

namespace qylon::diarization {

std::vector<int> renumbered(std::vector<int> labels) {
  std::map<int, int> number_of;
  for (int& label : labels) {
    label = number_of.emplace(label, static_cast<int>(number_of.size())).first->second;
  }
  return labels;
}

}  // namespace qylon::diarization
