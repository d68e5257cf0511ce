#pragma once

#include <memory>
#include <span>

#include "core/result.hpp"
#include "models/safetensors.hpp"

namespace qylon::models {

/// Time-delay network with attentive statistics pooling: a stretch of speech -> a point.
///
/// Input   : float32[frames, 40] normalised log-mel, row-major, 1 <= frames <= Workspace's.
/// Output  : float32[size()], not normalised.
/// Layers  : conv 5, conv 3 stride 2, three residual convs 3 of dilation 1, 2, 3, conv 1 to twice
///           the channels, attention (tanh, softmax over time), weighted mean and deviation,
///           linear; ReLU then scale and shift after each conv.
/// Cost    : 35 M multiply-adds for 150 frames at 160 channels, 0.9 ms with AVX-512.
/// Threads : any for the network; one at a time for a Workspace.
/// Errors  : load() kInvalidArgument that names the missing or misshapen tensor.
/// Source  : Okabe, Koshinaka, Shinoda, "Attentive statistics pooling", Interspeech 2018; Snyder et
///           al., "X-vectors", ICASSP 2018.
class SpeakerNetwork {
 public:
  static constexpr int kMels = 40;

  /// Scratch memory of forward().
  class Workspace {
   public:
    Workspace(const SpeakerNetwork& network, int frames_max);
    ~Workspace();

   private:
    friend class SpeakerNetwork;
    struct Buffers;
    std::unique_ptr<Buffers> buffers_;
  };

  static Result<SpeakerNetwork> load(const WeightFile& file);
  ~SpeakerNetwork();
  SpeakerNetwork(SpeakerNetwork&&) noexcept;
  SpeakerNetwork& operator=(SpeakerNetwork&&) noexcept;

  int size() const noexcept;
  void forward(std::span<const float> log_mel, Workspace& workspace, std::span<float> out) const;

 private:
  struct Layers;  // Hides Eigen.
  explicit SpeakerNetwork(std::unique_ptr<const Layers> layers);
  std::unique_ptr<const Layers> layers_;
};

}  // namespace qylon::models
