#include "models/speaker_statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include <Eigen/Core>

#include "core/check.hpp"

namespace qylon::models {
namespace {

constexpr Eigen::Index kCepstra = 20;
constexpr Eigen::Index kStatistics = 3 * kCepstra - 1;  // The mean of the first is the level.

/// Orthonormal DCT-II of natural-log energies given in dB: float32[kCepstra, kMels].
Eigen::MatrixXf cosine_basis() {
  constexpr double kMels = SpeakerStatistics::kMels;
  const double from_db = std::numbers::ln10 / 10.0;
  Eigen::MatrixXf basis(kCepstra, SpeakerStatistics::kMels);
  for (Eigen::Index k = 0; k < kCepstra; ++k) {
    const double norm = std::sqrt((k == 0 ? 1.0 : 2.0) / kMels);
    for (Eigen::Index n = 0; n < basis.cols(); ++n) {
      const double angle =
          std::numbers::pi * static_cast<double>(k) * static_cast<double>(2 * n + 1) / (2 * kMels);
      basis(k, n) = static_cast<float>(from_db * norm * std::cos(angle));
    }
  }
  return basis;
}

}  // namespace

struct SpeakerStatistics::Tables {
  Eigen::MatrixXf basis = cosine_basis();
  Eigen::VectorXf mean;
  Eigen::MatrixXf project;  // [size, kStatistics]
};

struct SpeakerStatistics::Workspace::Buffers {
  explicit Buffers(int frames_max)
      : cepstra(Eigen::MatrixXf::Zero(kCepstra, frames_max)),
        slope(Eigen::MatrixXf::Zero(kCepstra, frames_max)),
        energy(static_cast<std::size_t>(frames_max)),
        sorted(static_cast<std::size_t>(frames_max)) {}

  Eigen::MatrixXf cepstra;
  Eigen::MatrixXf slope;
  std::vector<float> energy;
  std::vector<float> sorted;
};

SpeakerStatistics::Workspace::Workspace(int frames_max)
    : buffers_(std::make_unique<Buffers>(frames_max)) {}
SpeakerStatistics::Workspace::~Workspace() = default;

Result<SpeakerStatistics> SpeakerStatistics::load(const WeightFile& file) {
  const std::span<const std::int64_t> shape = file.shape("statistics.project");
  if (shape.size() != 2 || shape[0] < 1 || shape[0] > kStatistics) {
    return Error{ErrorCode::kInvalidArgument,
                 "weight file: statistics.project must be [1 to 59, 59] values"};
  }
  const auto mean = file.tensor("statistics.mean", std::array<std::int64_t, 1>{kStatistics});
  if (!mean) return mean.error();
  const auto project =
      file.tensor("statistics.project", std::array<std::int64_t, 2>{shape[0], kStatistics});
  if (!project) return project.error();
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  auto tables = std::make_unique<Tables>();
  tables->mean = Eigen::Map<const Eigen::VectorXf>(mean->data(), kStatistics);
  tables->project = Eigen::Map<const RowMajor>(project->data(), shape[0], kStatistics);
  return SpeakerStatistics(std::move(tables));
}

SpeakerStatistics::SpeakerStatistics(std::unique_ptr<const Tables> tables)
    : tables_(std::move(tables)) {}
SpeakerStatistics::~SpeakerStatistics() = default;
SpeakerStatistics::SpeakerStatistics(SpeakerStatistics&&) noexcept = default;
SpeakerStatistics& SpeakerStatistics::operator=(SpeakerStatistics&&) noexcept = default;

int SpeakerStatistics::size() const noexcept {
  return static_cast<int>(tables_->project.rows());
}

namespace {

/// Regression slope over two frames on either side; the ends repeat.
void fill_slopes(const Eigen::Ref<const Eigen::MatrixXf>& cepstra,
                 Eigen::Ref<Eigen::MatrixXf> out) {
  const Eigen::Index last = cepstra.cols() - 1;
  for (Eigen::Index t = 0; t <= last; ++t) {
    const auto at = [&](Eigen::Index offset) {
      return cepstra.col(std::clamp<Eigen::Index>(t + offset, 0, last));
    };
    out.col(t) = (2.0F * (at(2) - at(-2)) + at(1) - at(-1)) / 10.0F;
  }
}

/// Moves the columns whose energy is at least the lower quartile to the front; returns how many.
template <typename Buffers>
Eigen::Index keep_loud(Buffers& buffers, Eigen::Index frames) {
  const auto count = static_cast<std::ptrdiff_t>(frames);
  std::copy_n(buffers.energy.begin(), count, buffers.sorted.begin());
  const auto quartile = buffers.sorted.begin() + count / 4;
  std::nth_element(buffers.sorted.begin(), quartile, buffers.sorted.begin() + count);
  Eigen::Index kept = 0;
  for (Eigen::Index t = 0; t < frames; ++t) {
    if (buffers.energy[static_cast<std::size_t>(t)] < *quartile) continue;
    buffers.cepstra.col(kept) = buffers.cepstra.col(t);
    buffers.slope.col(kept) = buffers.slope.col(t);
    ++kept;
  }
  return kept;
}

Eigen::ArrayXf deviation(const Eigen::Ref<const Eigen::MatrixXf>& x) {
  return (x.colwise() - x.rowwise().mean()).array().square().rowwise().mean().sqrt();
}

}  // namespace

void SpeakerStatistics::project(std::span<const float> mel_db,
                                Workspace& workspace,
                                std::span<float> out) const {
  Workspace::Buffers& buffers = *workspace.buffers_;
  const auto frames = static_cast<Eigen::Index>(mel_db.size()) / kMels;
  QYLON_CHECK(frames >= 1 && frames <= buffers.cepstra.cols());
  QYLON_CHECK(static_cast<int>(out.size()) == size());
  const Eigen::Map<const Eigen::MatrixXf> mel(mel_db.data(), kMels, frames);
  buffers.cepstra.leftCols(frames).noalias() = tables_->basis * mel;
  fill_slopes(buffers.cepstra.leftCols(frames), buffers.slope.leftCols(frames));
  for (Eigen::Index t = 0; t < frames; ++t) {
    buffers.energy[static_cast<std::size_t>(t)] = mel.col(t).mean();
  }
  const Eigen::Index kept = keep_loud(buffers, frames);
  const auto cepstra = buffers.cepstra.leftCols(kept);
  Eigen::Matrix<float, kStatistics, 1> statistics;
  statistics.head<kCepstra - 1>() = cepstra.rowwise().mean().tail<kCepstra - 1>();
  statistics.segment<kCepstra>(kCepstra - 1) = deviation(cepstra);
  statistics.tail<kCepstra>() = deviation(buffers.slope.leftCols(kept));
  Eigen::Map<Eigen::VectorXf> result(out.data(), size());
  result.noalias() = tables_->project * (statistics - tables_->mean);
}

}  // namespace qylon::models
