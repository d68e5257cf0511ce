#include "diarization/spectral_clustering.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include "core/check.hpp"
#include "diarization/group_numbers.hpp"

namespace qylon::diarization {
namespace {

using Matrix = Eigen::MatrixXf;
using Points = Eigen::Map<const Matrix>;  // [size, count]

constexpr int kSpareVectors = 6;  // More than are asked for: the last of a subspace settle late.
constexpr int kFirstIterations = 30;
constexpr int kNextIterations = 10;  // From the eigenvectors of a similar graph.
constexpr int kMeansIterations = 20;
constexpr float kDepthMin = 1e-6F;

/// Cosines of each point in descending order: the limit for k neighbours is row k - 1.
Matrix sorted_cosines(const Matrix& cosines) {
  Matrix sorted = cosines;
  for (Eigen::Index i = 0; i < sorted.cols(); ++i) {
    std::sort(sorted.col(i).data(), sorted.col(i).data() + sorted.rows(), std::greater<>());
  }
  return sorted;
}

/// Symmetric 0, 1/2 or 1: how many of two points count the other among its nearest. Scaled by the
/// degrees on both sides, so that its largest eigenvalue is 1.
void fill_graph(const Matrix& cosines, const Matrix& sorted, Eigen::Index neighbours, Matrix& out) {
  for (Eigen::Index i = 0; i < out.cols(); ++i) {
    out.col(i) = (cosines.col(i).array() >= sorted(neighbours - 1, i)).cast<float>();
  }
  out = (0.5F * (out + out.transpose())).eval();
  const Eigen::VectorXf scale = out.colwise().sum().array().rsqrt();
  out = scale.asDiagonal() * out * scale.asDiagonal();
}

struct Spectrum {
  Eigen::VectorXf values;  // Descending.
  Matrix vectors;          // [count, values]
};

/// Fixed start vectors without structure, so that equal input gives equal output.
Matrix start_vectors(Eigen::Index rows, Eigen::Index columns) {
  Matrix out(rows, columns);
  std::uint32_t state = 1;
  for (float& value : out.reshaped()) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 8) / 8388608.0F - 1.0F;
  }
  return out;
}

/// Turns `basis` towards the eigenvectors of the largest eigenvalues and reads them off.
Spectrum improve(const Matrix& graph, Matrix& basis, int iterations) {
  Matrix image(basis.rows(), basis.cols());
  for (int i = 0; i < iterations; ++i) {
    image.noalias() = graph * basis;
    basis = Eigen::HouseholderQR<Matrix>(image).householderQ() *
            Matrix::Identity(basis.rows(), basis.cols());
  }
  image.noalias() = graph * basis;
  const Eigen::SelfAdjointEigenSolver<Matrix> small(basis.transpose() * image);
  basis = (basis * small.eigenvectors()).rowwise().reverse().eval();
  return {small.eigenvalues().reverse(), basis};
}

struct Fall {
  int groups = 1;  // Eigenvalues before it.
  float depth = 0;
};

/// Where the eigenvalues fall most.
Fall greatest_fall(const Eigen::VectorXf& values, int clusters_max) {
  Fall best;
  const int last = std::min<int>(clusters_max, static_cast<int>(values.size()) - 1);
  for (int k = 1; k <= last; ++k) {
    const float depth = values[k - 1] - values[k];
    if (depth > best.depth) best = {k, depth};
  }
  return best;
}

/// Sizes of neighbourhood to try, ascending, without repeats.
std::vector<Eigen::Index> neighbourhoods(Eigen::Index count, const SpectralOptions& options) {
  std::vector<Eigen::Index> sizes;
  const float ratio = options.neighbours_to / options.neighbours_from;
  for (int i = 0; i < options.neighbourhoods; ++i) {
    const float step = static_cast<float>(i) / static_cast<float>(options.neighbourhoods - 1);
    const float share = options.neighbours_from * std::pow(ratio, step);
    const auto size = static_cast<Eigen::Index>(std::lround(share * static_cast<float>(count)));
    const Eigen::Index bounded = std::clamp<Eigen::Index>(size, options.neighbours_min, count);
    if (sizes.empty() || bounded > sizes.back()) sizes.push_back(bounded);
  }
  return sizes;
}

/// First the row that is most alone, then always the one that is furthest from those chosen.
Matrix spread_centres(const Matrix& rows, int groups) {
  Matrix centres(rows.cols(), groups);
  Eigen::Index chosen = 0;
  (rows * rows.colwise().sum().transpose()).minCoeff(&chosen);
  Eigen::VectorXf nearest = Eigen::VectorXf::Constant(rows.rows(), -2.0F);
  for (int k = 0; k < groups; ++k) {
    centres.col(k) = rows.row(chosen);
    nearest = nearest.cwiseMax(rows * centres.col(k));
    nearest.minCoeff(&chosen);
  }
  return centres;
}

std::vector<int> spherical_k_means(const Matrix& rows, int groups) {
  Matrix centres = spread_centres(rows, groups);
  std::vector<int> label(static_cast<std::size_t>(rows.rows()), -1);
  for (int iteration = 0; iteration < kMeansIterations; ++iteration) {
    const Matrix cosines = rows * centres;
    Matrix sums = Matrix::Zero(centres.rows(), groups);
    bool moved = false;
    for (Eigen::Index i = 0; i < rows.rows(); ++i) {
      Eigen::Index best = 0;
      cosines.row(i).maxCoeff(&best);
      int& current = label[static_cast<std::size_t>(i)];
      moved |= current != static_cast<int>(best);
      current = static_cast<int>(best);
      sums.col(best) += rows.row(i).transpose();
    }
    if (!moved) break;
    for (int k = 0; k < groups; ++k) {
      const float norm = sums.col(k).norm();
      if (norm > 0) centres.col(k) = sums.col(k) / norm;
    }
  }
  return label;
}

}  // namespace

std::vector<int> spectral_clusters(std::span<const float> points,
                                   int size,
                                   const SpectralOptions& options) {
  QYLON_CHECK(size > 0 && points.size() % static_cast<std::size_t>(size) == 0);
  const auto count = static_cast<Eigen::Index>(points.size()) / size;
  if (count < 2 * options.neighbours_min)
    return std::vector<int>(static_cast<std::size_t>(count), 0);
  const Points map(points.data(), size, count);
  const Matrix cosines = map.transpose() * map;
  const Matrix sorted = sorted_cosines(cosines);
  Matrix graph(count, count);
  Matrix basis =
      start_vectors(count, std::min<Eigen::Index>(options.clusters_max + 1 + kSpareVectors, count));
  int iterations = kFirstIterations;
  int groups = 1;
  Matrix vectors;
  float best = std::numeric_limits<float>::infinity();
  for (const Eigen::Index neighbours : neighbourhoods(count, options)) {
    fill_graph(cosines, sorted, neighbours, graph);
    const Spectrum spectrum = improve(graph, basis, iterations);
    iterations = kNextIterations;
    const Fall fall = greatest_fall(spectrum.values, options.clusters_max);
    const float ratio = static_cast<float>(neighbours) / (fall.depth + kDepthMin);
    if (ratio >= best) continue;
    best = ratio;
    groups = fall.groups;
    vectors = spectrum.vectors.leftCols(groups);
  }
  if (groups == 1) return std::vector<int>(static_cast<std::size_t>(count), 0);
  return renumbered(spherical_k_means(vectors.rowwise().normalized(), groups));
}

}  // namespace qylon::diarization
