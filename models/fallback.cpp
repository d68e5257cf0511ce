#include "models/fallback.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "core/sync.hpp"
#include "models/pcm16.hpp"

namespace qylon::models {
namespace {

/// The segments of one session that have no answer yet, shared by the session and its sinks.
class Unanswered {
 public:
  Unanswered(std::shared_ptr<RecogniserSink> sink,
             std::shared_ptr<SpeechBudget> budget,
             Counter& fallbacks)
      : sink_(std::move(sink)), budget_(std::move(budget)), fallbacks_(fallbacks) {}
  ~Unanswered() {
    const MutexLock lock(mutex_);
    for (auto& [id, segment] : segments_)
      forget_audio(segment);
  }
  Unanswered(const Unanswered&) = delete;
  Unanswered& operator=(const Unanswered&) = delete;
  Unanswered(Unanswered&&) = delete;
  Unanswered& operator=(Unanswered&&) = delete;

  void begin(std::uint64_t id, std::int64_t start_sample, std::string_view speaker_key)
      QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    Segment& segment = segments_[id];
    segment.start_sample = start_sample;
    segment.speaker_key = speaker_key;
  }

  void push(std::uint64_t id, std::span<const float> samples) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = segments_.find(id);
    if (found == segments_.end() || !found->second.held) return;
    if (!budget_->try_take(static_cast<std::int64_t>(samples.size()))) {
      forget_audio(found->second);
      found->second.held = false;
      return;
    }
    append_pcm16(samples, found->second.audio);
  }

  void end(std::uint64_t id, std::int64_t end_sample) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = segments_.find(id);
    if (found != segments_.end()) found->second.end_sample = end_sample;
  }

  void partial(RecogniserResult result) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = segments_.find(result.segment);
    if (found == segments_.end() || sink_ == nullptr) return;
    result.revision = ++found->second.revision;
    sink_->on_result(std::move(result));
  }

  void answer(RecogniserResult result) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = segments_.find(result.segment);
    if (found == segments_.end() || sink_ == nullptr) return;
    result.revision = ++found->second.revision;
    forget_audio(found->second);
    segments_.erase(found);
    sink_->on_result(std::move(result));
  }

  /// Gives the segment's audio to `repair`; false when it is not held any more.
  bool replay(std::uint64_t id) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = segments_.find(id);
    if (found == segments_.end() || !found->second.held || repair_ == nullptr) return false;
    const Segment& segment = found->second;
    fallbacks_.add();
    repair_->begin_segment(id, segment.start_sample, segment.speaker_key);
    std::vector<float> samples(segment.audio.size());
    std::transform(segment.audio.begin(), segment.audio.end(), samples.begin(), [](auto sample) {
      return static_cast<float>(sample) / 32767.0F;
    });
    repair_->push(samples);
    repair_->end_segment(segment.end_sample);
    return true;
  }

  void set_repair(std::unique_ptr<RecogniserSession> repair) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    repair_ = std::move(repair);
  }
  /// After this no result is passed on.
  void close() QYLON_EXCLUDES(mutex_) {
    std::unique_ptr<RecogniserSession> repair;
    const MutexLock lock(mutex_);
    sink_ = nullptr;
    repair = std::move(repair_);
  }

 private:
  struct Segment {
    std::int64_t start_sample = 0;
    std::int64_t end_sample = 0;
    std::string speaker_key;
    std::uint32_t revision = 0;
    bool held = true;
    std::vector<std::int16_t> audio;
  };

  void forget_audio(Segment& segment) const QYLON_REQUIRES(mutex_) {
    budget_->give_back(static_cast<std::int64_t>(segment.audio.size()));
    segment.audio = {};
  }

  mutable Mutex mutex_;
  std::shared_ptr<RecogniserSink> sink_ QYLON_GUARDED_BY(mutex_);
  std::unique_ptr<RecogniserSession> repair_ QYLON_GUARDED_BY(mutex_);
  std::map<std::uint64_t, Segment> segments_ QYLON_GUARDED_BY(mutex_);
  const std::shared_ptr<SpeechBudget> budget_;
  Counter& fallbacks_;
};

/// Sinks hold the state weakly: sessions hold sinks, and the state holds a session.
class PrimarySink final : public RecogniserSink {
 public:
  explicit PrimarySink(std::weak_ptr<Unanswered> state) : state_(std::move(state)) {}
  void on_result(RecogniserResult result) override {
    const auto state = state_.lock();
    if (state == nullptr) return;
    if (result.kind == RecogniserResult::Kind::kPartial) {
      state->partial(std::move(result));
    } else if (result.kind == RecogniserResult::Kind::kFinal || !state->replay(result.segment)) {
      state->answer(std::move(result));
    }
  }

 private:
  const std::weak_ptr<Unanswered> state_;
};

class LiveSink final : public RecogniserSink {
 public:
  explicit LiveSink(std::weak_ptr<Unanswered> state) : state_(std::move(state)) {}
  void on_result(RecogniserResult result) override {
    const auto state = state_.lock();
    if (state != nullptr && result.kind == RecogniserResult::Kind::kPartial)
      state->partial(std::move(result));
  }

 private:
  const std::weak_ptr<Unanswered> state_;
};

class RepairSink final : public RecogniserSink {
 public:
  explicit RepairSink(std::weak_ptr<Unanswered> state) : state_(std::move(state)) {}
  void on_result(RecogniserResult result) override {
    const auto state = state_.lock();
    if (state != nullptr && result.kind != RecogniserResult::Kind::kPartial)
      state->answer(std::move(result));
  }

 private:
  const std::weak_ptr<Unanswered> state_;
};

class FallbackSession final : public RecogniserSession {
 public:
  FallbackSession(std::shared_ptr<Unanswered> state,
                  std::unique_ptr<RecogniserSession> primary,
                  std::unique_ptr<RecogniserSession> live)
      : state_(std::move(state)), primary_(std::move(primary)), live_(std::move(live)) {}
  ~FallbackSession() override { state_->close(); }
  FallbackSession(const FallbackSession&) = delete;
  FallbackSession& operator=(const FallbackSession&) = delete;
  FallbackSession(FallbackSession&&) = delete;
  FallbackSession& operator=(FallbackSession&&) = delete;

  void begin_segment(std::uint64_t segment,
                     std::int64_t start_sample,
                     std::string_view speaker_key) override {
    segment_ = segment;
    start_sample_ = start_sample;
    state_->begin(segment, start_sample, speaker_key);
    if (live_ != nullptr) live_->begin_segment(segment, start_sample, speaker_key);
    primary_->begin_segment(segment, start_sample, speaker_key);
  }
  void push(std::span<const float> samples) override {
    state_->push(segment_, samples);
    if (live_ != nullptr) live_->push(samples);
    primary_->push(samples);
  }
  void end_segment(std::int64_t end_sample) override {
    state_->end(segment_, end_sample);
    // An empty final: the second engine is not asked to decode what the first one decodes.
    if (live_ != nullptr) live_->end_segment(start_sample_);
    primary_->end_segment(end_sample);
  }

 private:
  const std::shared_ptr<Unanswered> state_;
  const std::unique_ptr<RecogniserSession> primary_;
  const std::unique_ptr<RecogniserSession> live_;  // Null: the first engine shows partials itself.
  std::uint64_t segment_ = 0;
  std::int64_t start_sample_ = 0;
};

}  // namespace

FallbackRecogniser::FallbackRecogniser(std::unique_ptr<Recogniser> primary,
                                       std::unique_ptr<Recogniser> secondary,
                                       std::int64_t samples_max,
                                       Counters& counters)
    : primary_(std::move(primary)),
      secondary_(std::move(secondary)),
      budget_(std::make_shared<SpeechBudget>(samples_max)),
      fallbacks_(counters.counter("qylon_recogniser_fallbacks_total",
                                  "Segments decoded by the second engine because the first one "
                                  "failed.")) {}

RecogniserCaps FallbackRecogniser::caps() const {
  RecogniserCaps caps = primary_->caps();
  caps.partials = caps.partials || secondary_->caps().partials;
  return caps;
}

std::int64_t FallbackRecogniser::lag_ms() const {
  return primary_->lag_ms() + secondary_->lag_ms();
}

std::unique_ptr<RecogniserSession> FallbackRecogniser::open(const RecogniserSessionOptions& options,
                                                            std::shared_ptr<RecogniserSink> sink) {
  const auto state = std::make_shared<Unanswered>(std::move(sink), budget_, fallbacks_);
  state->set_repair(secondary_->open(options, std::make_shared<RepairSink>(state)));
  std::unique_ptr<RecogniserSession> live;
  if (!primary_->caps().partials)
    live = secondary_->open(options, std::make_shared<LiveSink>(state));
  auto primary = primary_->open(options, std::make_shared<PrimarySink>(state));
  return std::make_unique<FallbackSession>(state, std::move(primary), std::move(live));
}

}  // namespace qylon::models
