#pragma once
/// Provenances as the columns hold them.

#include <algorithm>
#include <array>
#include <string_view>

#include "core/transcript.hpp"

namespace qylon::storage {

inline constexpr std::array<std::string_view, 4> kProvenances{
    "track",
    "cluster",
    "enrolled",
    "manual"};  // In the order of Provenance.

inline std::string_view provenance_name(Provenance provenance) {
  return kProvenances[static_cast<std::size_t>(provenance)];
}

inline Provenance read_provenance(std::string_view name) {
  const auto* const found = std::find(kProvenances.begin(), kProvenances.end(), name);
  if (found == kProvenances.end()) return Provenance::kCluster;
  return static_cast<Provenance>(found - kProvenances.begin());
}

}  // namespace qylon::storage
