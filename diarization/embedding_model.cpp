#include "diarization/embedding_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include <Eigen/Core>

#include "core/check.hpp"
#include "models/embedded_weights.hpp"
#include "models/safetensors.hpp"
#include "models/speaker_network.hpp"
#include "models/speaker_statistics.hpp"

namespace qylon::diarization {
namespace {

using models::SpeakerNetwork;
using models::SpeakerStatistics;
using models::WeightFile;

constexpr std::string_view kFormat = "qylon-speaker-1";
constexpr std::string_view kFrontEnd = "mel40-db";
constexpr float kLevelFloorDb = -60.0F;  // Below the loudness of the stretch.

Status check_format(const WeightFile& file) {
  if (file.metadata("format") == kFormat && file.metadata("front_end") == kFrontEnd) return ok();
  return Error{ErrorCode::kInvalidArgument,
               "speaker weights: metadata must say format " + std::string(kFormat) +
                   " and front_end " + std::string(kFrontEnd)};
}

Result<std::vector<float>> read_cohort(const WeightFile& file, int size) {
  const std::span<const std::int64_t> shape = file.shape("cohort");
  const std::int64_t people = shape.size() == 2 ? shape[0] : 1;
  const auto cohort = file.tensor("cohort", std::array<std::int64_t, 2>{people, size});
  if (!cohort) return cohort.error();
  if (people >= 1) return std::vector<float>(cohort->begin(), cohort->end());
  return Error{ErrorCode::kInvalidArgument, "speaker weights: the cohort needs one voice or more"};
}

Status read_calibration(const WeightFile& file, EmbeddingModel::Calibration& calibration) {
  using Field = std::pair<const char*, float*>;
  for (const auto& [key, value] : {Field{"voice_share", &calibration.voice_share},
                                   Field{"window_share", &calibration.window_share},
                                   Field{"dimensions", &calibration.dimensions}}) {
    const Result<float> number = file.number(key);
    if (!number) return number.error();
    *value = *number;
  }
  const bool usable = calibration.voice_share > 0 && calibration.voice_share < 1 &&
                      calibration.window_share > 0 && calibration.dimensions > 0;
  if (usable) return ok();
  return Error{ErrorCode::kInvalidArgument,
               "speaker weights: voice_share must lie between 0 and 1, window_share and dimensions "
               "above 0"};
}

}  // namespace

struct EmbeddingModel::State {
  State(SpeakerNetwork network_part, SpeakerStatistics statistics_part)
      : network(std::move(network_part)), statistics(std::move(statistics_part)) {}

  std::string name;
  Calibration calibration;
  SpeakerNetwork network;
  SpeakerStatistics statistics;
  Eigen::ArrayXf mean;          // [kMelBands] of loudness-normalised speech, dB.
  float statistics_weight = 0;  // Length of the statistics part; the network's is 1.
  std::vector<float> cohort;
};

Result<std::shared_ptr<const EmbeddingModel>> EmbeddingModel::load_default() {
  return parse(models::embedded_speaker_weights());
}

Result<std::shared_ptr<const EmbeddingModel>> EmbeddingModel::load(const std::string& path) {
  const Result<WeightFile> file = WeightFile::read(path);
  if (!file) return file.error();
  return from(*file);
}

Result<std::shared_ptr<const EmbeddingModel>> EmbeddingModel::parse(
    std::span<const std::byte> bytes) {
  const Result<WeightFile> file = WeightFile::parse(bytes);
  if (!file) return file.error();
  return from(*file);
}

Result<std::shared_ptr<const EmbeddingModel>> EmbeddingModel::from(const WeightFile& file) {
  const Status format = check_format(file);
  if (!format) return format.error();
  Result<SpeakerNetwork> network = SpeakerNetwork::load(file);
  if (!network) return network.error();
  Result<SpeakerStatistics> statistics = SpeakerStatistics::load(file);
  if (!statistics) return statistics.error();
  const auto mean = file.tensor("mean", std::array<std::int64_t, 1>{kMelBands});
  if (!mean) return mean.error();
  const Result<float> weight = file.number("statistics_weight");
  if (!weight) return weight.error();
  auto state = std::make_unique<State>(*std::move(network), *std::move(statistics));
  const Status calibrated = read_calibration(file, state->calibration);
  if (!calibrated) return calibrated.error();
  Result<std::vector<float>> cohort =
      read_cohort(file, state->network.size() + state->statistics.size());
  if (!cohort) return cohort.error();
  state->cohort = *std::move(cohort);
  state->name = file.metadata("name").value_or("unnamed");
  state->mean = Eigen::Map<const Eigen::ArrayXf>(mean->data(), kMelBands);
  state->statistics_weight = *weight;
  return std::shared_ptr<const EmbeddingModel>(new EmbeddingModel(std::move(state)));
}

EmbeddingModel::EmbeddingModel(std::unique_ptr<const State> state) : state_(std::move(state)) {}
EmbeddingModel::~EmbeddingModel() = default;

int EmbeddingModel::size() const noexcept {
  return state_->network.size() + state_->statistics.size();
}
std::string_view EmbeddingModel::name() const noexcept {
  return state_->name;
}
const EmbeddingModel::Calibration& EmbeddingModel::calibration() const noexcept {
  return state_->calibration;
}
std::span<const float> EmbeddingModel::cohort() const noexcept {
  return state_->cohort;
}

struct Embedder::Scratch {
  Scratch(const SpeakerNetwork& network, int frames_max)
      : normalised(Eigen::ArrayXXf::Zero(kMelBands, frames_max)),
        network_workspace(network, frames_max),
        statistics_workspace(frames_max) {}

  Eigen::ArrayXXf normalised;
  SpeakerNetwork::Workspace network_workspace;
  SpeakerStatistics::Workspace statistics_workspace;
};

Embedder::Embedder(std::shared_ptr<const EmbeddingModel> model, int frames_max)
    : model_(std::move(model)),
      scratch_(std::make_unique<Scratch>(model_->state_->network, frames_max)) {
  QYLON_CHECK(frames_max >= kFramesMin);
}
Embedder::~Embedder() = default;

namespace {

/// A level in the room or of the microphone says nothing about the voice.
template <typename Output>
void normalise_loudness(std::span<const float> mel_db, const Eigen::ArrayXf& mean, Output&& out) {
  const Eigen::Map<const Eigen::ArrayXXf> mel(mel_db.data(), kMelBands, out.cols());
  const float per_db = std::log(10.0F) / 10.0F;
  const float power = (mel * per_db).exp().sum() / static_cast<float>(out.cols());
  const float loudness_db = std::log(std::max(power, 1e-20F)) / per_db;
  out = (((mel - loudness_db).max(kLevelFloorDb)).colwise() - mean) / 10.0F;
}

void scale_to(std::span<float> part, float length) {
  Eigen::Map<Eigen::VectorXf> vector(part.data(), static_cast<Eigen::Index>(part.size()));
  vector *= length / std::max(vector.norm(), 1e-12F);
}

}  // namespace

void Embedder::embed(std::span<const float> mel_db, std::span<float> embedding) noexcept {
  const EmbeddingModel::State& model = *model_->state_;
  const auto values_max = static_cast<std::size_t>(scratch_->normalised.size());
  if (mel_db.size() > values_max) mel_db = mel_db.last(values_max);
  QYLON_CHECK(mel_db.size() % kMelBands == 0 && mel_db.size() >= kFramesMin * kMelBands);
  QYLON_CHECK(static_cast<int>(embedding.size()) == model_->size());
  const auto frames = static_cast<Eigen::Index>(mel_db.size()) / kMelBands;
  normalise_loudness(mel_db, model.mean, scratch_->normalised.leftCols(frames));
  const std::span<const float> normalised(scratch_->normalised.data(), mel_db.size());
  const auto network = embedding.first(static_cast<std::size_t>(model.network.size()));
  const auto statistics = embedding.subspan(network.size());
  model.network.forward(normalised, scratch_->network_workspace, network);
  model.statistics.project(mel_db, scratch_->statistics_workspace, statistics);
  scale_to(network, 1.0F);
  scale_to(statistics, model.statistics_weight);
  scale_to(embedding, 1.0F);
}

}  // namespace qylon::diarization
