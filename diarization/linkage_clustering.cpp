#include "diarization/linkage_clustering.hpp"

#include <algorithm>
#include <map>

#include <Eigen/Core>

#include "core/check.hpp"

namespace qylon::diarization {
namespace {

using Matrix = Eigen::MatrixXf;
using Points = Eigen::Map<const Matrix>;  // [size, count]

constexpr int kSweeps = 3;

/// Merges the two most similar groups until none are similar enough; a group is named by its first
/// point.
std::vector<int> linked(const Points& points, float similarity_min) {
  const Eigen::Index count = points.cols();
  Matrix similarity = points.transpose() * points;
  similarity.diagonal().setConstant(-2.0F);
  Eigen::VectorXf members = Eigen::VectorXf::Ones(count);
  std::vector<int> label(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < label.size(); ++i)
    label[i] = static_cast<int>(i);
  for (Eigen::Index left = count; left > 1; --left) {
    Eigen::Index a = 0;
    Eigen::Index b = 0;
    if (similarity.maxCoeff(&a, &b) < similarity_min) break;
    if (a > b) std::swap(a, b);
    const float total = members[a] + members[b];
    similarity.col(a) = (members[a] * similarity.col(a) + members[b] * similarity.col(b)) / total;
    similarity(a, a) = -2.0F;
    similarity.row(a) = similarity.col(a).transpose();
    similarity.col(b).setConstant(-2.0F);
    similarity.row(b).setConstant(-2.0F);
    members[a] = total;
    std::replace(label.begin(), label.end(), static_cast<int>(b), static_cast<int>(a));
  }
  return label;
}

/// Gives every point to the nearest of the groups that are heavy enough, or to the heaviest when
/// none is.
std::vector<int> given_to_heavy(const Points& points,
                                std::span<const float> weights,
                                const std::vector<int>& label,
                                float weight_min) {
  std::map<int, float> weight_of;
  for (std::size_t i = 0; i < label.size(); ++i)
    weight_of[label[i]] += weights[i];
  float limit = 0;
  for (const auto& [group, weight] : weight_of)
    limit = std::max(limit, weight);
  limit = std::min(limit, weight_min);
  std::map<int, Eigen::Index> column_of;
  for (const auto& [group, weight] : weight_of) {
    if (weight >= limit) column_of.emplace(group, static_cast<Eigen::Index>(column_of.size()));
  }
  Matrix centres = Matrix::Zero(points.rows(), static_cast<Eigen::Index>(column_of.size()));
  for (std::size_t i = 0; i < label.size(); ++i) {
    const auto column = column_of.find(label[i]);
    if (column == column_of.end()) continue;
    centres.col(column->second) += weights[i] * points.col(static_cast<Eigen::Index>(i));
  }
  centres.colwise().normalize();
  const Matrix cosines = centres.transpose() * points;
  std::vector<int> out(label.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    cosines.col(static_cast<Eigen::Index>(i)).maxCoeff(&out[i]);
  }
  return out;
}

}  // namespace

std::vector<int> renumbered(std::vector<int> labels) {
  std::map<int, int> number_of;
  for (int& label : labels) {
    label = number_of.emplace(label, static_cast<int>(number_of.size())).first->second;
  }
  return labels;
}

std::vector<int> linkage_clusters(std::span<const float> points,
                                  int size,
                                  std::span<const float> weights,
                                  const LinkageOptions& options) {
  QYLON_CHECK(size > 0 && points.size() == weights.size() * static_cast<std::size_t>(size));
  if (weights.empty()) return {};
  const Points map(points.data(), size, static_cast<Eigen::Index>(weights.size()));
  std::vector<int> label = linked(map, options.similarity_min);
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    label = given_to_heavy(map, weights, label, options.weight_min);
  }
  return renumbered(std::move(label));
}

}  // namespace qylon::diarization
