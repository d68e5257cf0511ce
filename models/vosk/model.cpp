#include "models/vosk/model.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "models/recogniser.hpp"
#include "models/speech_budget.hpp"
#include "models/transcription.hpp"
#include "models/vosk/library.hpp"

namespace qylon::models {
namespace {

constexpr std::size_t kPieceSamples = kRecogniserRateHz / 5;  // As Vosk's own clients send it.

std::int64_t span_ms(std::size_t samples) {
  return samples_to_ms(static_cast<std::int64_t>(samples));
}

class VoskDecoder final : public SegmentDecoder {
 public:
  VoskDecoder(const VoskLibrary& vosk, VoskModel* model) : vosk_(vosk), model_(model) {}
  ~VoskDecoder() override { close(); }
  VoskDecoder(const VoskDecoder&) = delete;
  VoskDecoder& operator=(const VoskDecoder&) = delete;
  VoskDecoder(VoskDecoder&&) = delete;
  VoskDecoder& operator=(VoskDecoder&&) = delete;

  /// Vosk's word lists replace its language model instead of biasing it: none is used.
  std::uint32_t set_vocabulary(const std::vector<std::string>& phrases) override {
    return static_cast<std::uint32_t>(phrases.size());
  }

  void begin(const SegmentSetup&) override { open(); }

  std::vector<DecodedWord> advance(std::span<const std::int16_t> segment,
                                   std::size_t fresh) override {
    hear(segment.last(fresh));
    std::vector<DecodedWord> words = finished_;
    if (recogniser_ == nullptr) return words;
    const auto partial = parse_vosk(vosk_.recognizer_partial(recogniser_), span_ms(segment.size()));
    if (partial) words.insert(words.end(), partial->words.begin(), partial->words.end());
    return words;
  }

  std::optional<Decoded> finish(std::span<const std::int16_t> segment) override {
    if (heard_ > segment.size()) open();  // Cut shorter than what was heard: once more.
    hear(segment.subspan(heard_));
    if (recogniser_ == nullptr) return std::nullopt;
    const auto last = parse_vosk(vosk_.recognizer_final(recogniser_), span_ms(segment.size()));
    if (!last) return std::nullopt;
    Decoded decoded;
    decoded.words = std::move(finished_);
    decoded.words.insert(decoded.words.end(), last->words.begin(), last->words.end());
    close();
    return decoded;
  }

  void abandon() override { close(); }

 private:
  void open() {
    close();
    recogniser_ = vosk_.recognizer_new(model_, static_cast<float>(kRecogniserRateHz));
    if (recogniser_ == nullptr) return;  // Out of memory: finish() says so.
    vosk_.recognizer_set_words(recogniser_, 1);
    if (vosk_.recognizer_set_partial_words != nullptr)
      vosk_.recognizer_set_partial_words(recogniser_, 1);
  }

  void close() {
    if (recogniser_ != nullptr) vosk_.recognizer_free(recogniser_);
    recogniser_ = nullptr;
    finished_.clear();
    heard_ = 0;
  }

  /// Vosk ends utterances at its own pauses; their words are kept for the segment's answer.
  void hear(std::span<const std::int16_t> samples) {
    while (recogniser_ != nullptr && !samples.empty()) {
      const auto piece = samples.first(std::min(samples.size(), kPieceSamples));
      heard_ += piece.size();
      const int ended =
          vosk_.recognizer_accept(recogniser_, piece.data(), static_cast<int>(piece.size()));
      samples = samples.subspan(piece.size());
      if (ended <= 0) continue;
      const auto result = parse_vosk(vosk_.recognizer_result(recogniser_), span_ms(heard_));
      if (result) finished_.insert(finished_.end(), result->words.begin(), result->words.end());
    }
  }

  const VoskLibrary& vosk_;
  VoskModel* const model_;
  VoskRecognizer* recogniser_ = nullptr;
  std::size_t heard_ = 0;
  std::vector<DecodedWord> finished_;
};

class VoskModelHolder final : public DecoderModel {
 public:
  VoskModelHolder(const VoskLibrary& vosk, VoskModel* model) : vosk_(vosk), model_(model) {}
  ~VoskModelHolder() override { vosk_.model_free(model_); }
  VoskModelHolder(const VoskModelHolder&) = delete;
  VoskModelHolder& operator=(const VoskModelHolder&) = delete;
  VoskModelHolder(VoskModelHolder&&) = delete;
  VoskModelHolder& operator=(VoskModelHolder&&) = delete;

  std::unique_ptr<SegmentDecoder> make_decoder() override {
    return std::make_unique<VoskDecoder>(vosk_, model_);
  }

 private:
  const VoskLibrary vosk_;
  VoskModel* const model_;
};

}  // namespace

Result<std::unique_ptr<DecoderModel>> load_vosk(const VoskOptions& options) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(options.model_dir, ignored)) {
    return Error{ErrorCode::kNotFound,
                 "the Vosk model folder '" + options.model_dir +
                     "' does not exist; unpack a model from alphacephei.com/vosk/models"};
  }
  const auto library = VoskLibrary::open(options.library);
  if (!library) return library.error();
  library->set_log_level(-1);
  VoskModel* model = library->model_new(options.model_dir.c_str());
  if (model == nullptr) {
    return Error{ErrorCode::kInvalidArgument, "Vosk cannot load a model from " + options.model_dir};
  }
  return std::unique_ptr<DecoderModel>(std::make_unique<VoskModelHolder>(*library, model));
}

}  // namespace qylon::models
