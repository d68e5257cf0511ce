#pragma once
/// Speech on its way through a worker engine: what sessions put in and the supervisor takes out.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/sync.hpp"
#include "models/recogniser.hpp"
#include "models/speech_budget.hpp"
#include "models/worker/messages.hpp"

namespace qylon::models {

using SessionKey = std::uint64_t;
using SegmentKey = std::uint64_t;  ///< Rises in order of begin, over all sessions.
using Vocabulary = std::vector<std::string>;

/// One segment as the supervisor sees it.
struct SegmentView {
  SegmentKey key = 0;
  SessionKey session = 0;
  std::shared_ptr<const Vocabulary> vocabulary;
  std::int64_t samples = 0;  ///< Held so far; once ended, how many the final covers.
  bool ended = false;
  bool refused = false;       ///< Its audio could not be held: fail it once it ends.
  bool abandoned = false;     ///< Its session is gone: nobody wants an answer.
  std::int64_t ended_us = 0;  ///< Monotonic; when ended.
};

/// Whom to answer, and how to name it there.
struct SegmentOwner {
  std::shared_ptr<RecogniserSink> sink;  ///< Null: the session is gone.
  std::uint64_t segment = 0;
  std::int64_t start_sample = 0;
  std::uint32_t revision = 0;  ///< For the answer; already counted up.
};

/// Threads: every method is safe from any thread; the lock is held for copies only.
/// Bounds : a segment holds `segment_samples_max`, all together hold the budget; what does not fit
///          is refused and its segment fails.
class SegmentStore {
 public:
  struct Options {
    std::int64_t segment_samples_max = 60LL * kRecogniserRateHz;
    std::int64_t speech_samples_max = 600LL * kRecogniserRateHz;
    std::size_t speakers_max = 64;  ///< Remembered cepstral means per session; then the oldest go.
  };
  /// `wake` is called, without the lock, when the supervisor has something to do.
  SegmentStore(const Options& options, const Clock& clock, std::function<void()> wake)
      : options_(options),
        clock_(clock),
        wake_(std::move(wake)),
        budget_(options.speech_samples_max) {}

  // For sessions.
  SessionKey open_session(std::shared_ptr<const Vocabulary> vocabulary,
                          std::shared_ptr<RecogniserSink> sink) QYLON_EXCLUDES(mutex_);
  void close_session(SessionKey session) QYLON_EXCLUDES(mutex_);
  SegmentKey begin(SessionKey session,
                   std::uint64_t segment,
                   std::int64_t start_sample,
                   std::string_view speaker_key) QYLON_EXCLUDES(mutex_);
  void append(SegmentKey key, std::span<const std::int16_t> samples) QYLON_EXCLUDES(mutex_);
  void end(SegmentKey key, std::int64_t end_sample) QYLON_EXCLUDES(mutex_);

  // For the supervisor.
  std::vector<SegmentView> views() const QYLON_EXCLUDES(mutex_);
  /// Bytes of samples [from, to) of a segment, clipped to what is held.
  std::string audio(SegmentKey key, std::int64_t from, std::int64_t to) const
      QYLON_EXCLUDES(mutex_);
  /// What is known of the voice that the segment is expected to hold.
  CepstralMean expected_mean(SegmentKey key) const QYLON_EXCLUDES(mutex_);
  void learn_mean(SegmentKey key, const CepstralMean& mean) QYLON_EXCLUDES(mutex_);
  /// Nothing when the segment is not in the store.
  std::optional<SegmentOwner> next_revision(SegmentKey key) QYLON_EXCLUDES(mutex_);
  void remove(SegmentKey key) QYLON_EXCLUDES(mutex_);

  /// Speech of ended segments that is not answered yet [samples].
  std::int64_t waiting_samples() const QYLON_EXCLUDES(mutex_);

 private:
  struct Session {
    std::shared_ptr<const Vocabulary> vocabulary;
    std::shared_ptr<RecogniserSink> sink;
    std::map<std::string, CepstralMean, std::less<>> means;
    std::vector<std::string> mean_order;  // Oldest first.
  };
  struct Segment {
    SegmentView view;
    std::uint64_t id = 0;
    std::int64_t start_sample = 0;
    std::string speaker_key;
    std::uint32_t revision = 0;
    std::vector<std::int16_t> samples;
  };

  void refuse(Segment& segment) QYLON_REQUIRES(mutex_);

  const Options options_;  // Constant after construction.
  const Clock& clock_;
  const std::function<void()> wake_;
  SpeechBudget budget_;
  mutable Mutex mutex_;
  std::map<SessionKey, Session> sessions_ QYLON_GUARDED_BY(mutex_);
  std::map<SegmentKey, Segment> segments_ QYLON_GUARDED_BY(mutex_);
  SessionKey last_session_ QYLON_GUARDED_BY(mutex_) = 0;
  SegmentKey last_segment_ QYLON_GUARDED_BY(mutex_) = 0;
};

}  // namespace qylon::models
