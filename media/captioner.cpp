#include "media/captioner.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"

namespace qylon::media {
namespace {

constexpr std::int64_t kSamplesPerMs = kPipelineRateHz / 1000;
// A cut must leave both halves long enough to be worth a caption of their own.
constexpr std::int64_t kShortestCut = 500 * kSamplesPerMs;
// What a forced cut or a speaker change, noticed late, may need again; pre-roll fits as well.
constexpr std::int64_t kRingSamples = (kForcedCutSearchMs + 1000) * kSamplesPerMs;

}  // namespace

void set_words(Caption& caption, std::vector<Word> words) {
  caption.words = std::move(words);
  caption.text.clear();
  caption.confidence = 0;
  for (const Word& word : caption.words) {
    if (!caption.text.empty()) caption.text += ' ';
    caption.text += word.text;
    caption.confidence += word.confidence / static_cast<float>(caption.words.size());
  }
}

Captioner::Captioner(const Options& options, Parts parts)
    : options_(options),
      host_(parts.host),
      session_(std::move(parts.session)),
      voices_(std::move(parts.voices)),
      given_up_(parts.given_up),
      segmenter_(options.segmenter),
      audio_(kRingSamples) {
  QYLON_CHECK(voices_ != nullptr || options.speaker);
}

void Captioner::on_block(const Block& block) {
  audio_.append(block.start_sample, block.samples);
  sound_.push(block.start_sample, block.samples);
  const Segmenter::Step step = segmenter_.push(block.start_sample, block.speech_probability);
  const bool was_open = !step.begin || step.end;
  if (was_open && (segmenter_.open() || step.end)) session_->push(block.samples);
  if (step.end) end(*step.end);
  if (step.begin) begin(*step.begin);
  if (!voices_) return;
  const bool speech = segmenter_.open() && block.speech_probability >= options_.segmenter.off;
  const auto label = voices_->push(block.start_sample, block.samples, speech);
  if (!label) return;
  if (labels_.size() == kLabelsMax) labels_.pop_front();
  labels_.push_back(*label);
  const bool several = !options_.speaker || host_.is_shared(options_.track);
  if (several && segmenter_.open()) cut_at_speaker_change();
}

bool Captioner::waits_within(std::int64_t start_ms, std::int64_t end_ms) const {
  return std::any_of(utterances_.begin(), utterances_.end(), [&](const auto& item) {
    const Utterance& utterance = item.second;
    const std::int64_t end = utterance.end.value_or(audio_.end_sample());
    return utterance.zero_ms + utterance.start / kSamplesPerMs < end_ms &&
           utterance.zero_ms + end / kSamplesPerMs > start_ms;
  });
}

std::vector<VoiceWindow> Captioner::windows_between(std::int64_t start, std::int64_t end) const {
  std::vector<VoiceWindow> windows;
  for (const diarization::VoiceLabel& label : labels_) {
    const std::int64_t samples =
        std::min(end, label.end_sample) - std::max(start, label.start_sample);
    if (samples > 0 && label.evidence >= 0) windows.push_back({label.evidence, samples});
  }
  return windows;
}

void Captioner::begin(std::int64_t sample) {
  open_segment_ = host_.next_segment();
  Utterance& utterance = utterances_[open_segment_];
  utterance.zero_ms = options_.zero_ms;
  utterance.start = sample;
  session_->begin_segment(
      open_segment_, sample, options_.speaker ? std::string_view(options_.speaker->key) : "");
  audio_.read(sample, audio_.end_sample(), [this](std::span<const float> samples) {
    session_->push(samples);
  });
  if (utterances_.size() > kWaitingMax) give_up(utterances_.begin());
}

void Captioner::end(std::int64_t sample) {
  utterances_[open_segment_].end = sample;
  session_->end_segment(sample);
}

void Captioner::cut_at_speaker_change() {
  const std::int64_t start = segmenter_.start_sample();
  const std::int64_t now = audio_.end_sample();
  const auto change = voices_->change_point(start, now);
  if (!change || *change - start < kShortestCut || now - *change < kShortestCut) return;
  if (*change < audio_.begin_sample()) return;
  segmenter_.split(*change);
  end(*change);
  begin(*change);
}

void Captioner::flush() {
  const Segmenter::Step step = segmenter_.flush();
  if (step.end) end(*step.end);
}

Speaker Captioner::speaker_between(std::int64_t start, std::int64_t end) {
  if (!voices_) return *options_.speaker;
  const diarization::VoiceLabel label = voices_->label(start, end);
  if (!options_.speaker) return host_.speaker_of(label);
  return host_.speaker_on(options_.track, *options_.speaker, label);
}

Speaker Captioner::current_speaker() {
  return speaker_between(segmenter_.start_sample(), audio_.end_sample());
}

Caption Captioner::make_caption(std::uint64_t segment,
                                Utterance& utterance,
                                const models::RecogniserResult& result) {
  const std::int64_t end = utterance.end.value_or(audio_.end_sample());
  Caption caption;
  caption.track = options_.track;
  caption.segment = segment;
  caption.revision = ++utterance.revision;
  caption.start_ms = utterance.zero_ms + utterance.start / kSamplesPerMs;
  caption.end_ms = utterance.zero_ms + end / kSamplesPerMs;
  caption.speaker = speaker_between(utterance.start, end);
  std::vector<Word> words = result.words;
  for (Word& word : words) {
    word.start_ms += utterance.zero_ms;
    word.end_ms += utterance.zero_ms;
  }
  set_words(caption, std::move(words));
  caption.stable_words = std::min(result.stable_words, caption.words.size());
  caption.language = result.language;
  caption.engine = result.engine;
  return caption;
}

void Captioner::on_result(models::RecogniserResult&& result) {
  const auto at = utterances_.find(result.segment);
  if (at == utterances_.end()) return;  // Given up before.
  switch (result.kind) {
    case models::RecogniserResult::Kind::kPartial:
      show_interim(at->first, at->second, std::move(result));
      return;
    case models::RecogniserResult::Kind::kFinal:
      finish(at, result);
      return;
    case models::RecogniserResult::Kind::kFailed:
      give_up(at);
      return;
  }
}

void Captioner::show_interim(std::uint64_t segment,
                             Utterance& utterance,
                             models::RecogniserResult&& result) {
  if (result.words.empty() && !utterance.shown) return;
  host_.on_interim(make_caption(segment, utterance, result));
  utterance.shown = std::move(result);
}

void Captioner::finish(Utterances::iterator at, const models::RecogniserResult& result) {
  // Silence taken for speech leaves no trace, unless an interim must be taken back.
  Utterance utterance = at->second;
  const std::uint64_t segment = at->first;
  utterances_.erase(at);  // Nobody waits for it any more, the host included.
  if (result.words.empty() && !utterance.shown) return;
  Caption caption = make_caption(segment, utterance, result);
  caption.stable_words = caption.words.size();
  const std::int64_t end = utterance.end.value_or(audio_.end_sample());
  host_.on_final(std::move(caption), windows_between(utterance.start, end));
}

void Captioner::give_up(Utterances::iterator at) {
  given_up_.add();
  const auto shown = at->second.shown;
  finish(at, shown.value_or(models::RecogniserResult{}));
}

void Captioner::give_up_waiting() {
  while (!utterances_.empty())
    give_up(utterances_.begin());
}

}  // namespace qylon::media
