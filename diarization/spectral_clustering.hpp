#pragma once

#include <span>
#include <vector>

namespace qylon::diarization {

struct SpectralOptions {
  int neighbours_min = 4;         ///< Sizes of neighbourhood that are tried: from this and ...
  float neighbours_from = 0.03F;  ///< ... this share of the points ...
  float neighbours_to = 0.25F;    ///< ... to this share, ...
  int neighbourhoods = 8;         ///< ... so many, in equal ratios.
  int clusters_max = 12;
};

/// Groups unit vectors by the eigenvectors of their neighbourhood graph. The number of groups is
/// where the eigenvalues fall most; of several sizes of neighbourhood the one is taken that gives
/// the clearest fall for its size, so that no threshold has to be tuned.
///
/// Input  : float32[count, size] row-major, L2 norm 1.
/// Output : for each point its group, 0..groups - 1 in order of appearance, every group used.
/// Cost   : count^2 * (size + 2500) multiply-adds, about 50 ms for 300 points; deterministic.
/// Source : Ng, Jordan, Weiss, "On spectral clustering", NIPS 2001; choice of neighbourhood and
///          groups: Park et al., "Auto-tuning spectral clustering for speaker diarization using
///          normalized maximum eigengap", IEEE SPL 27, 2020; eigenvectors by subspace iteration
///          with Rayleigh-Ritz (Golub & Van Loan, 4th ed., section 8.2).
std::vector<int> spectral_clusters(std::span<const float> points,
                                   int size,
                                   const SpectralOptions& options);

}  // namespace qylon::diarization
