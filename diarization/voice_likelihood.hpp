#pragma once

namespace qylon::diarization {

/// How likely it is that stretches of speech are of one voice: two-covariance model with round
/// covariances. A window's unit vector is the voice plus noise; a voice is drawn around `mean`.
///
/// With n windows' worth of evidence whose vectors sum up to s, the voice integrated out,
///   log evidence(n, |s - n mean|^2) =
///     dimensions / 2 (-log(1 + n ratio) + |s - n mean|^2 / noise * ratio / (1 + n ratio)),
/// so that two stretches are of one voice when evidence(a + b) > evidence(a) + evidence(b). How
/// much a stretch must resemble a voice grows with its length by itself: no threshold is tuned.
///
/// Threads : any.
/// Source  : Ioffe, "Probabilistic linear discriminant analysis", ECCV 2006; Bruemmer & de
/// Villiers,
///           "The speaker partitioning problem", Odyssey 2010, in the round form.
class VoiceLikelihood {
 public:
  struct Options {
    float voice_share = 0.45F;   ///< Of a window's variance that is the voice.
    float window_share = 0.22F;  ///< New evidence in a window: neighbours overlap by two thirds.
    float dimensions = 100.0F;   ///< Directions in which voices differ.
  };

  explicit VoiceLikelihood(const Options& options);

  /// `count` in windows, `square` of the sum of their vectors without the mean.
  float evidence(float count, float square) const noexcept;

  /// Share of a voice's mean that is known from so many windows, 0..1.
  float known_share(float count) const noexcept;

 private:
  float window_share_;
  float half_dimensions_;
  float ratio_;  // Variance of voices / variance of noise.
  float noise_;
};

}  // namespace qylon::diarization
