#include "models/speaker_network.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <Eigen/Core>

#include "core/check.hpp"
#include "dsp/kernels.hpp"

namespace qylon::models {
namespace {

using Matrix = Eigen::MatrixXf;  // [channel, frame]: a frame's channels lie together.
using Vector = Eigen::VectorXf;

constexpr Eigen::Index kAttention = 64;
constexpr Eigen::Index kRowBlock = 32;  // Of dsp::Product.
constexpr float kVarianceMin = 1e-4F;

/// Channels are made up to whole blocks with zeros, which stay zeros through every layer.
Eigen::Index whole_blocks(Eigen::Index rows) {
  return (rows + kRowBlock - 1) / kRowBlock * kRowBlock;
}

/// A matrix as dsp::Product wants it.
class Packed {
 public:
  Packed() = default;
  Packed(Eigen::Index rows, Eigen::Index depth)
      : rows_(whole_blocks(rows)),
        depth_(depth),
        values_(static_cast<std::size_t>(rows_ * depth_)) {}

  void set(Eigen::Index row, Eigen::Index column, float value) {
    values_[static_cast<std::size_t>((row / kRowBlock * depth_ + column) * kRowBlock +
                                     row % kRowBlock)] = value;
  }

  /// out[:, t] += this * in[t * in_stride ...] for every column of `out`.
  template <typename Output>
  void add(const float* in, Eigen::Index in_stride, Output&& out) const {
    QYLON_CHECK(out.rows() == rows_);
    dsp::kernels().add_product({values_.data(),
                                static_cast<std::size_t>(rows_),
                                static_cast<std::size_t>(depth_),
                                in,
                                static_cast<std::size_t>(in_stride),
                                static_cast<std::size_t>(out.cols()),
                                out.data(),
                                static_cast<std::size_t>(out.outerStride())});
  }

 private:
  Eigen::Index rows_ = 0;
  Eigen::Index depth_ = 0;
  std::vector<float> values_;
};

/// Reads tensors and remembers the first error, so that a layer list reads as a list.
class Reader {
 public:
  explicit Reader(const WeightFile& file) : file_(file) {}

  Vector vector(const std::string& name, Eigen::Index size) {
    Vector out = Vector::Zero(whole_blocks(size));
    const std::span<const float> values = read(name, {size});
    std::copy(values.begin(), values.end(), out.data());
    return out;
  }

  /// `parts` inputs of so many values each, made up to whole blocks, as layers before leave them.
  Packed matrix(const std::string& name,
                Eigen::Index rows,
                Eigen::Index part_size,
                Eigen::Index parts) {
    const std::span<const float> values = read(name, {rows, parts * part_size});
    Packed out(rows, parts * whole_blocks(part_size));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto at = static_cast<Eigen::Index>(i);
      const Eigen::Index column = at % (parts * part_size);
      out.set(at / (parts * part_size),
              column / part_size * whole_blocks(part_size) + column % part_size,
              values[i]);
    }
    return out;
  }

  /// float32[outputs, inputs, taps] -> matrices of taps / count taps each, which lie side by side;
  /// an input frame has `depth` values, those behind `inputs` being zeros.
  std::vector<Packed> taps(const std::string& name,
                           std::array<Eigen::Index, 3> shape,
                           Eigen::Index depth,
                           Eigen::Index count) {
    const auto [outputs, inputs, taps] = shape;
    const Eigen::Index each = taps / count;
    const std::span<const float> values = read(name, {outputs, inputs, taps});
    std::vector<Packed> out(static_cast<std::size_t>(count), Packed(outputs, each * depth));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto at = static_cast<Eigen::Index>(i);
      const Eigen::Index tap = at % taps;
      out[static_cast<std::size_t>(tap / each)].set(
          at / taps / inputs, tap % each * depth + at / taps % inputs, values[i]);
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
  std::vector<Packed> products;  // One of all taps, or one for each when they lie apart.
  Vector bias;
  Vector scale;
  Vector shift;
  Eigen::Index frame = 0;  // Values of an input frame.
  Eigen::Index taps = 1;
  Eigen::Index dilation = 1;
  Eigen::Index stride = 1;

  Eigen::Index padding() const { return dilation * (taps - 1) / 2; }

  /// `padded` holds padding() zero frames, the input, and as many zero frames.
  template <typename Output>
  void apply(const float* padded, Output&& out) const {
    out.colwise() = bias;
    for (std::size_t k = 0; k < products.size(); ++k) {
      const float* const start = padded + static_cast<Eigen::Index>(k) * dilation * frame;
      products[k].add(start, stride * frame, out);
    }
    for (Eigen::Index t = 0; t < out.cols(); ++t) {
      dsp::kernels().rectify(
          out.col(t).data(), scale.data(), shift.data(), static_cast<std::size_t>(out.rows()));
    }
  }
};

struct Shape {
  Eigen::Index inputs;
  Eigen::Index frame;  // Inputs and the zeros behind them.
  Eigen::Index outputs;
  Eigen::Index taps;
  Eigen::Index dilation = 1;
  Eigen::Index stride = 1;
};

Convolution convolution(Reader& reader, const std::string& name, const Shape& shape) {
  Convolution out;
  out.products = reader.taps(name + ".weight",
                             {shape.outputs, shape.inputs, shape.taps},
                             shape.frame,
                             shape.dilation == 1 ? 1 : shape.taps);
  out.bias = reader.vector(name + ".bias", shape.outputs);
  out.scale = reader.vector(name + ".scale", shape.outputs);
  out.shift = reader.vector(name + ".shift", shape.outputs);
  out.frame = shape.frame;
  out.taps = shape.taps;
  out.dilation = shape.dilation;
  out.stride = shape.stride;
  return out;
}

}  // namespace

struct SpeakerNetwork::Layers {
  Convolution front;
  Convolution halve;
  std::array<Convolution, 3> residual;
  Convolution widen;
  Packed attend;
  Vector attend_bias;
  Packed weigh;
  Vector weigh_bias;
  Packed project;  // Normalisations before and after it are folded in by the training script.
  Vector project_bias;
  Eigen::Index size = 0;

  Eigen::Index channels() const { return front.bias.size(); }
  Eigen::Index wide_channels() const { return widen.bias.size(); }
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
  Vector projected;
};

SpeakerNetwork::Workspace::Workspace(const SpeakerNetwork& network, int frames_max)
    : buffers_(std::make_unique<Buffers>()) {
  const Eigen::Index half_max = (frames_max + 1) / 2;
  const Eigen::Index channels = network.layers_->channels();
  const Eigen::Index wide = network.layers_->wide_channels();
  buffers_->input.setZero(kMels, frames_max + 4);
  buffers_->full.setZero(channels, frames_max + 2);
  buffers_->half.setZero(channels, half_max + 6);
  buffers_->step.setZero(channels, half_max);
  buffers_->wide.setZero(wide, half_max);
  buffers_->attention.setZero(kAttention, half_max);
  buffers_->weights.setZero(wide, half_max);
  buffers_->pooled.setZero(2 * wide);
  buffers_->projected.setZero(network.layers_->project_bias.size());
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
  const Eigen::Index frame = whole_blocks(channels);
  const Eigen::Index size = out_shape[0];
  Reader reader(file);
  auto layers = std::make_unique<Layers>();
  layers->size = size;
  layers->front = convolution(reader, "front", {kMels, kMels, channels, 5});
  layers->halve = convolution(reader, "halve", {channels, frame, channels, 3, 1, 2});
  for (std::size_t i = 0; i < layers->residual.size(); ++i) {
    const auto dilation = static_cast<Eigen::Index>(i) + 1;
    layers->residual[i] = convolution(
        reader, "residual." + std::to_string(i), {channels, frame, channels, 3, dilation});
  }
  layers->widen = convolution(reader, "widen", {channels, frame, 2 * channels, 1});
  layers->attend = reader.matrix("attend.weight", kAttention, 2 * channels, 1);
  layers->attend_bias = reader.vector("attend.bias", kAttention);
  layers->weigh = reader.matrix("weigh.weight", 2 * channels, kAttention, 1);
  layers->weigh_bias = reader.vector("weigh.bias", 2 * channels);
  layers->project = reader.matrix("project.weight", size, 2 * channels, 2);
  layers->project_bias = reader.vector("project.bias", size);
  if (reader.error()) return *reader.error();
  return SpeakerNetwork(std::move(layers));
}

SpeakerNetwork::SpeakerNetwork(std::unique_ptr<const Layers> layers) : layers_(std::move(layers)) {}
SpeakerNetwork::~SpeakerNetwork() = default;
SpeakerNetwork::SpeakerNetwork(SpeakerNetwork&&) noexcept = default;
SpeakerNetwork& SpeakerNetwork::operator=(SpeakerNetwork&&) noexcept = default;

int SpeakerNetwork::size() const noexcept {
  return static_cast<int>(layers_->size);
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
  QYLON_CHECK(frames >= 1 && frames + 4 <= buffers.input.cols());
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
  attention.colwise() = layers.attend_bias;
  layers.attend.add(wide.data(), wide.rows(), attention);
  attention = attention.array().tanh();
  auto weights = buffers.weights.leftCols(halved);
  weights.colwise() = layers.weigh_bias;
  layers.weigh.add(attention.data(), attention.rows(), weights);
  pool(wide, weights, buffers.pooled);
  buffers.projected = layers.project_bias;
  layers.project.add(buffers.pooled.data(), buffers.pooled.size(), buffers.projected);
  std::copy_n(buffers.projected.data(), out.size(), out.data());
}

}  // namespace qylon::models
