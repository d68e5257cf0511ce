#include <algorithm>
#include <cmath>
#include <optional>

#include <pocketsphinx.h>
#include <sphinxbase/cmn.h>
#include <sphinxbase/fe.h>
#include <sphinxbase/feat.h>

#include "models/pocketsphinx/engine.hpp"
#include "models/recogniser.hpp"

namespace qylon::models {
namespace {

constexpr std::size_t kShortestSamples = kRecogniserRateHz / 10;  // Nothing is said in less.
constexpr std::size_t kMeanSamples = 2 * kRecogniserRateHz;
constexpr std::int32_t kFrameMs = 10;
constexpr int kFrameSamples = kRecogniserRateHz / 100;
constexpr float kVocabularyWeight = 0.1F;
/// Share of right words in partials, which carry no posterior of their own.
constexpr float kPartialConfidence = 0.4F;

bool is_silent(std::span<const std::int16_t> segment) {
  return std::all_of(segment.begin(), segment.end(), [](std::int16_t s) { return s == 0; });
}

bool is_filler(std::string_view word) {
  return word.empty() || word.front() == '<' || word.front() == '[' || word.front() == '+';
}

/// "read(2)" is the dictionary's second way to say "read".
std::string_view without_alternate(std::string_view word) {
  return word.substr(0, word.find('('));
}

/// Probability that a word is right, from its lattice posterior. Fitted by logistic regression on
/// half of 1600 words (LibriSpeech test-other, telephone prompts, clips); on the other half: area
/// under the curve 0.77, calibration error 0.07. Length and duration add nothing.
float calibrated(double log_posterior) {
  const double logit = 1.565 + 0.7975 * std::max(log_posterior, -12.0);
  return static_cast<float>(1.0 / (1.0 + std::exp(-logit)));
}

class PocketSphinxDecoder final : public SegmentDecoder {
 public:
  explicit PocketSphinxDecoder(PocketSphinx& engine)
      : engine_(engine), decoder_(engine.decoder()) {}

  std::uint32_t set_vocabulary(const std::vector<std::string>& phrases) override {
    return engine_.mix_in(phrases, kVocabularyWeight, false);
  }

  void begin(const SegmentSetup& setup) override {
    if (!setup.live) return;
    mean_known_ = setup.mean.values.size() == engine_.initial_mean().size();
    start_live(mean_known_ ? setup.mean.values : engine_.initial_mean());
  }

  std::vector<DecodedWord> advance(std::span<const std::int16_t> segment,
                                   std::size_t fresh) override {
    if (!mean_known_ && segment.size() >= kMeanSamples) {
      mean_known_ = true;
      if (const auto mean = measured_mean(segment.first(kMeanSamples))) {
        start_live(*mean);
        fresh = segment.size();
      }
    }
    const auto news = segment.last(fresh);
    ps_process_raw(decoder_, news.data(), news.size(), FALSE, FALSE);
    return words(false);
  }

  std::optional<Decoded> finish(std::span<const std::int16_t> segment) override {
    abandon();
    Decoded decoded;
    if (segment.size() < kShortestSamples || is_silent(segment)) return decoded;
    ps_set_search(decoder_, "final");
    // A live pass leaves the features normalised by a running mean for ever (sphinxbase,
    // feat_cmn()).
    ps_get_feat(decoder_)->cmn = CMN_BATCH;
    ps_start_stream(decoder_);
    ps_start_utt(decoder_);
    ps_process_raw(decoder_, segment.data(), segment.size(), FALSE, TRUE);
    decoded.mean = segment_mean(segment.size());
    if (ps_end_utt(decoder_) == 0) decoded.words = words(true);
    return decoded;
  }

  void abandon() override {
    if (live_) ps_end_utt(decoder_);
    live_ = false;
  }

 private:
  void start_live(const std::vector<float>& mean) {
    abandon();
    ps_set_search(decoder_, "live");
    cmn_live_set(ps_get_feat(decoder_)->cmn_struct, mean.data());
    ps_start_stream(decoder_);
    live_ = ps_start_utt(decoder_) == 0;
  }

  /// What the whole-segment normalisation has just subtracted.
  CepstralMean segment_mean(std::size_t samples) const {
    CepstralMean mean;
    mean.values.resize(engine_.initial_mean().size());
    cmn_live_get(ps_get_feat(decoder_)->cmn_struct, mean.values.data());
    mean.frames = static_cast<float>(samples) / kFrameSamples;
    const bool sane = std::all_of(
        mean.values.begin(), mean.values.end(), [](float v) { return std::isfinite(v); });
    return sane ? mean : CepstralMean{};
  }

  /// Mean cepstrum of `samples`, as the front end of a fresh stream sees it.
  std::optional<std::vector<float>> measured_mean(std::span<const std::int16_t> samples) const {
    fe_t* front_end = engine_.front_end();
    const std::size_t size = engine_.initial_mean().size();
    const std::size_t frames_max = samples.size() / kFrameSamples + 2;
    std::vector<mfcc_t> cepstra(frames_max * size);
    std::vector<mfcc_t*> rows(frames_max);
    for (std::size_t row = 0; row < frames_max; ++row)
      rows[row] = &cepstra[row * size];
    fe_start_stream(front_end);
    fe_start_utt(front_end);
    const std::int16_t* from = samples.data();
    std::size_t left = samples.size();
    auto frames = static_cast<int32>(frames_max);
    if (fe_process_frames(front_end, &from, &left, rows.data(), &frames, nullptr) < 0)
      return std::nullopt;
    return mean_of_voiced(rows, frames);
  }

  /// Frames without energy (negative zeroth coefficient) do not count, as in sphinxbase's cmn().
  std::optional<std::vector<float>> mean_of_voiced(const std::vector<mfcc_t*>& rows,
                                                   int frames) const {
    std::vector<float> mean(engine_.initial_mean().size(), 0.0F);
    int counted = 0;
    for (int row = 0; row < frames; ++row) {
      const mfcc_t* cepstrum = rows[static_cast<std::size_t>(row)];
      if (cepstrum[0] < 0) continue;
      ++counted;
      for (std::size_t i = 0; i < mean.size(); ++i)
        mean[i] += cepstrum[i];
    }
    if (counted < 30) return std::nullopt;
    for (float& value : mean)
      value /= static_cast<float>(counted);
    return mean;
  }

  std::vector<DecodedWord> words(bool final) const {
    std::vector<DecodedWord> list;
    for (ps_seg_t* part = ps_seg_iter(decoder_); part != nullptr; part = ps_seg_next(part)) {
      const std::string_view raw = ps_seg_word(part);
      if (is_filler(raw)) continue;
      int first = 0;
      int last = 0;
      ps_seg_frames(part, &first, &last);
      DecodedWord word;
      word.text = engine_.shown(without_alternate(raw));
      word.start_ms = std::max(0, first) * kFrameMs;
      word.end_ms = std::max(first, last + 1) * kFrameMs;
      word.confidence = final ? posterior(part) : kPartialConfidence;
      list.push_back(std::move(word));
    }
    return list;
  }

  float posterior(ps_seg_t* part) const {
    const int32 log_posterior = ps_seg_prob(part, nullptr, nullptr, nullptr);
    return calibrated(logmath_log_to_ln(ps_get_logmath(decoder_), log_posterior));
  }

  PocketSphinx& engine_;
  ps_decoder_t* const decoder_;
  bool live_ = false;        // An utterance of the live search is open.
  bool mean_known_ = false;  // No better mean is to be had for this segment.
};

class PocketSphinxModel final : public DecoderModel {
 public:
  explicit PocketSphinxModel(std::unique_ptr<PocketSphinx> engine) : engine_(std::move(engine)) {}

  std::unique_ptr<SegmentDecoder> make_decoder() override {
    return std::make_unique<PocketSphinxDecoder>(*engine_);
  }

 private:
  const std::unique_ptr<PocketSphinx> engine_;
};

}  // namespace

Result<std::unique_ptr<DecoderModel>> load_pocketsphinx(const PocketSphinxOptions& options) {
  auto engine = PocketSphinx::load(options);
  if (!engine) return engine.error();
  return std::unique_ptr<DecoderModel>(std::make_unique<PocketSphinxModel>(std::move(*engine)));
}

}  // namespace qylon::models
