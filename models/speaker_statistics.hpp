#pragma once

#include <memory>
#include <span>

#include "core/result.hpp"
#include "models/safetensors.hpp"

namespace qylon::models {

/// Mean and deviation of 20 mel cepstra and deviation of their slopes over the louder three
/// quarters of the frames, projected on the directions that tell speakers apart.
///
/// Input   : float32[frames, 40] mel power in dB, row-major, 1 <= frames <= Workspace's.
/// Output  : float32[size()], not normalised.
/// Cost    : 0.1 ms for 150 frames.
/// Threads : any for the statistics; one at a time for a Workspace.
/// Errors  : load() kInvalidArgument that names the missing or misshapen tensor.
/// Source  : Fisher, "The use of multiple measurements in taxonomic problems", 1936; cepstra and
///           slopes as in the HTK Book, sections 5.6 and 5.9.
class SpeakerStatistics {
 public:
  static constexpr int kMels = 40;

  /// Scratch memory of project().
  class Workspace {
   public:
    explicit Workspace(int frames_max);
    ~Workspace();

   private:
    friend class SpeakerStatistics;
    struct Buffers;
    std::unique_ptr<Buffers> buffers_;
  };

  static Result<SpeakerStatistics> load(const WeightFile& file);
  ~SpeakerStatistics();
  SpeakerStatistics(SpeakerStatistics&&) noexcept;
  SpeakerStatistics& operator=(SpeakerStatistics&&) noexcept;

  int size() const noexcept;
  void project(std::span<const float> mel_db, Workspace& workspace, std::span<float> out) const;

 private:
  struct Tables;  // Hides Eigen.
  explicit SpeakerStatistics(std::unique_ptr<const Tables> tables);
  std::unique_ptr<const Tables> tables_;
};

}  // namespace qylon::models
