#include "models/speaker_network.hpp"

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <Eigen/Core>

#include "core/check.hpp"

namespace qylon::models {
namespace {

using Matrix = Eigen::MatrixXf;  // [channel, frame]: a frame's channels lie together.
using Vector = Eigen::VectorXf;
/// Frames of a padded buffer as one tap of a convolution sees them.
using Frames = Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>;

constexpr int kAttention = 64;
constexpr float kVarianceMin = 1e-4F;

/// Reads tensors and remembers the first error, so that a layer list reads as a list.
class Reader {
 public:
  explicit Reader(const WeightFile& file) : file_(file) {}

  Vector vector(const std::string& name, Eigen::Index size) {
    const std::span<const float> values = read(name, {size});
    return values.empty() ? Vector::Zero(size)
                          : Vector(Eigen::Map<const Vector>(values.data(), size));
  }

  Matrix matrix(const std::string& name, Eigen::Index rows, Eigen::Index columns) {
    using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const std::span<const float> values = read(name, {rows, columns});
    if (values.empty()) return Matrix::Zero(rows, columns);
    return Eigen::Map<const RowMajor>(values.data(), rows, columns);
  }

  /// float32[outputs, inputs, taps] -> one matrix per tap.
  std::vector<Matrix> taps(const std::string& name,
                           Eigen::Index outputs,
                           Eigen::Index inputs,
                           Eigen::Index count) {
    const std::span<const float> values = read(name, {outputs, inputs, count});
    std::vector<Matrix> out(static_cast<std::size_t>(count), Matrix::Zero(outputs, inputs));
    if (values.empty()) return out;
    std::size_t at = 0;
    for (Eigen::Index row = 0; row < outputs; ++row) {
      for (Eigen::Index column = 0; column < inputs; ++column) {
        for (Matrix& tap : out)
          tap(row, column) = values[at++];
      }
    }
    return out;
  }

  const std::optional<Error>& error() const { return error_; }

 private:
  std::span<const float> read(const std::string& name, std::vector<std::int64_t> shape) {
    const Result<std::span<const float>> values = file_.tensor(name, shape);
    if (values) return *values;
    if (!error_) error_ = values.error();
    return {};
  }

  const WeightFile& file_;
  std::optional<Error> error_;
};

/// Convolution over time, ReLU, then scale and shift (batch normalisation after the ReLU).
struct Convolution {
  std::vector<Matrix> taps;
  Vector bias;
  Vector scale;
  Vector shift;
  Eigen::Index dilation = 1;
  Eigen::Index stride = 1;

  Eigen::Index padding() const {
    return dilation * (static_cast<Eigen::Index>(taps.size()) - 1) / 2;
  }

  /// `padded` holds padding() zero frames, the input, and as many zero frames.
  template <typename Output>
  void apply(const float* padded, Output&& out) const {
    const Eigen::Index inputs = taps[0].cols();
    out.colwise() = bias;
    for (std::size_t k = 0; k < taps.size(); ++k) {
      const float* start = padded + static_cast<Eigen::Index>(k) * dilation * inputs;
      const Frames seen(start, inputs, out.cols(), Eigen::OuterStride<>(stride * inputs));
      out.noalias() += taps[k] * seen;
    }
    out = ((out.array().max(0.0F)).colwise() * scale.array()).colwise() + shift.array();
  }
};

Convolution convolution(Reader& reader,
                        const std::string& name,
                        Eigen::Index inputs,
                        Eigen::Index outputs,
                        Eigen::Index taps) {
  Convolution out;
  out.taps = reader.taps(name + ".weight", outputs, inputs, taps);
  out.bias = reader.vector(name + ".bias", outputs);
  out.scale = reader.vector(name + ".scale", outputs);
  out.shift = reader.vector(name + ".shift", outputs);
  return out;
}

}  // namespace

struct SpeakerNetwork::Layers {
  Convolution front;
  Convolution halve;
  std::array<Convolution, 3> residual;
  Convolution widen;
  Matrix attend;
  Vector attend_bias;
  Matrix weigh;
  Vector weigh_bias;
  Matrix project;  // Normalisations before and after it are folded in by the training script.
  Vector project_bias;

  Eigen::Index channels() const { return front.bias.size(); }
};

struct SpeakerNetwork::Workspace::Buffers {
  Matrix input;  // Two zero frames on either side.
  Matrix full;   // One zero frame on either side.
  Matrix half;   // Three zero frames on either side, the widest dilation.
  Matrix step;   // What a residual block adds.
  Matrix wide;
  Matrix attention;
  Matrix weights;
  Vector pooled;
};

SpeakerNetwork::Workspace::Workspace(const SpeakerNetwork& network)
    : buffers_(std::make_unique<Buffers>()) {
  constexpr Eigen::Index kHalfMax = (kFramesMax + 1) / 2;
  const Eigen::Index channels = network.layers_->channels();
  buffers_->input.setZero(kMels, kFramesMax + 4);
  buffers_->full.setZero(channels, kFramesMax + 2);
  buffers_->half.setZero(channels, kHalfMax + 6);
  buffers_->step.setZero(channels, kHalfMax);
  buffers_->wide.setZero(2 * channels, kHalfMax);
  buffers_->attention.setZero(kAttention, kHalfMax);
  buffers_->weights.setZero(2 * channels, kHalfMax);
  buffers_->pooled.setZero(4 * channels);
}
SpeakerNetwork::Workspace::~Workspace() = default;

Result<SpeakerNetwork> SpeakerNetwork::load(const WeightFile& file) {
  const std::span<const std::int64_t> shape = file.shape("front.bias");
  const std::span<const std::int64_t> out_shape = file.shape("project.bias");
  const auto plausible = [](std::span<const std::int64_t> s) {
    return s.size() == 1 && s[0] >= 1 && s[0] <= 1024;
  };
  if (!plausible(shape) || !plausible(out_shape)) {
    return Error{ErrorCode::kInvalidArgument,
                 "weight file: front.bias and project.bias must be lists of 1 to 1024 values"};
  }
  const Eigen::Index channels = shape[0];
  const Eigen::Index size = out_shape[0];
  Reader reader(file);
  auto layers = std::make_unique<Layers>();
  layers->front = convolution(reader, "front", kMels, channels, 5);
  layers->halve = convolution(reader, "halve", channels, channels, 3);
  layers->halve.stride = 2;
  for (std::size_t i = 0; i < layers->residual.size(); ++i) {
    const std::string name = "residual." + std::to_string(i);
    layers->residual[i] = convolution(reader, name, channels, channels, 3);
    layers->residual[i].dilation = static_cast<Eigen::Index>(i) + 1;
  }
  layers->widen = convolution(reader, "widen", channels, 2 * channels, 1);
  layers->attend = reader.matrix("attend.weight", kAttention, 2 * channels);
  layers->attend_bias = reader.vector("attend.bias", kAttention);
  layers->weigh = reader.matrix("weigh.weight", 2 * channels, kAttention);
  layers->weigh_bias = reader.vector("weigh.bias", 2 * channels);
  layers->project = reader.matrix("project.weight", size, 4 * channels);
  layers->project_bias = reader.vector("project.bias", size);
  if (reader.error()) return *reader.error();
  return SpeakerNetwork(std::move(layers));
}

SpeakerNetwork::SpeakerNetwork(std::unique_ptr<const Layers> layers) : layers_(std::move(layers)) {}
SpeakerNetwork::~SpeakerNetwork() = default;
SpeakerNetwork::SpeakerNetwork(SpeakerNetwork&&) noexcept = default;
SpeakerNetwork& SpeakerNetwork::operator=(SpeakerNetwork&&) noexcept = default;

int SpeakerNetwork::size() const noexcept {
  return static_cast<int>(layers_->project_bias.size());
}

namespace {

/// Zero frames behind the last one: an earlier, longer input may have left values there.
void clear_behind(Matrix& padded, Eigen::Index first, Eigen::Index count) {
  padded.middleCols(first, count).setZero();
}

/// Softmax over time, then weighted mean and deviation of each channel.
void pool(const Eigen::Ref<const Matrix>& wide, Eigen::Ref<Matrix> weights, Vector& pooled) {
  const Eigen::Index channels = wide.rows();
  weights.colwise() -= weights.rowwise().maxCoeff().eval();
  weights = weights.array().exp();
  const Eigen::ArrayXf total = weights.rowwise().sum();
  const Eigen::ArrayXf mean = (weights.array() * wide.array()).rowwise().sum() / total;
  const Eigen::ArrayXf square = (weights.array() * wide.array().square()).rowwise().sum() / total;
  pooled.head(channels) = mean;
  pooled.tail(channels) = (square - mean.square()).max(kVarianceMin).sqrt();
}

}  // namespace

void SpeakerNetwork::forward(std::span<const float> log_mel,
                             Workspace& workspace,
                             std::span<float> out) const {
  const Layers& layers = *layers_;
  Workspace::Buffers& buffers = *workspace.buffers_;
  const auto frames = static_cast<Eigen::Index>(log_mel.size()) / kMels;
  QYLON_CHECK(frames >= 1 && frames <= kFramesMax);
  QYLON_CHECK(static_cast<int>(out.size()) == size());
  const Eigen::Index halved = (frames + 1) / 2;

  buffers.input.middleCols(2, frames) = Eigen::Map<const Matrix>(log_mel.data(), kMels, frames);
  clear_behind(buffers.input, frames + 2, 2);
  layers.front.apply(buffers.input.data(), buffers.full.middleCols(1, frames));
  clear_behind(buffers.full, frames + 1, 1);
  auto half = buffers.half.middleCols(3, halved);
  layers.halve.apply(buffers.full.data(), half);
  clear_behind(buffers.half, halved + 3, 3);
  for (const Convolution& block : layers.residual) {
    auto step = buffers.step.leftCols(halved);
    block.apply(buffers.half.col(3 - block.padding()).data(), step);
    half += step;
  }
  auto wide = buffers.wide.leftCols(halved);
  layers.widen.apply(half.data(), wide);
  auto attention = buffers.attention.leftCols(halved);
  attention.noalias() = layers.attend * wide;
  attention = (attention.colwise() + layers.attend_bias).array().tanh();
  auto weights = buffers.weights.leftCols(halved);
  weights.noalias() = layers.weigh * attention;
  weights.colwise() += layers.weigh_bias;
  pool(wide, weights, buffers.pooled);
  Eigen::Map<Vector> result(out.data(), static_cast<Eigen::Index>(out.size()));
  result = layers.project_bias;
  result.noalias() += layers.project * buffers.pooled;
}

}  // namespace qylon::models
