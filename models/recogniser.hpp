#pragma once
/// Speech recognisers as replaceable parts: feed 16 kHz blocks of one speech segment, get words.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/transcript.hpp"

namespace qylon::models {

/// Rate of all audio handed to a recogniser [Hz].
inline constexpr int kRecogniserRateHz = 16000;

/// What an engine can do; the captioner adapts.
struct RecogniserCaps {
  std::string engine;     ///< Name shown in captions, e.g. "pocketsphinx".
  bool partials = false;  ///< Interims while the segment runs.
  bool word_times = false;
  bool vocabulary = false;  ///< set_vocabulary() has an effect.
  std::string language;     ///< BCP 47.
  int concurrency_max = 1;  ///< Segments decoded at the same time.
};

/// One segment's words so far, or at last.
struct RecogniserResult {
  enum class Kind : std::uint8_t { kPartial, kFinal, kFailed };

  std::uint64_t segment = 0;
  std::uint32_t revision = 0;  ///< Rises inside the segment.
  Kind kind = Kind::kPartial;
  std::vector<Word> words;       ///< Times on the session's sample clock [ms] (sample / 16).
  std::size_t stable_words = 0;  ///< Partials: leading words that will hardly change.
  std::string language;
  std::string engine;  ///< Which engine spoke; after a fall-back, the other one.
  std::string reason;  ///< Failed: why, in words.
};

/// Receives results. Threads: called on a recogniser's thread; must not block.
class RecogniserSink {
 public:
  RecogniserSink() = default;
  virtual ~RecogniserSink() = default;
  RecogniserSink(const RecogniserSink&) = delete;
  RecogniserSink& operator=(const RecogniserSink&) = delete;
  RecogniserSink(RecogniserSink&&) = delete;
  RecogniserSink& operator=(RecogniserSink&&) = delete;

  virtual void on_result(RecogniserResult result) = 0;
};

/// One audio track's view of an engine: segments one after another, finals possibly late and out
/// of order. Every ended segment gets exactly one final or failed.
///
/// Threads : one thread at a time (the shard). No method blocks, whatever the engine does.
/// Bounds  : when the engine lags, partials are dropped first; a segment whose audio can no longer
///           be held fails with a reason. Destroying the session abandons what is unanswered.
class RecogniserSession {
 public:
  RecogniserSession() = default;
  virtual ~RecogniserSession() = default;
  RecogniserSession(const RecogniserSession&) = delete;
  RecogniserSession& operator=(const RecogniserSession&) = delete;
  RecogniserSession(RecogniserSession&&) = delete;
  RecogniserSession& operator=(RecogniserSession&&) = delete;

  /// Starts `segment` (rising) whose first sample is `start_sample` on the track's 16 kHz clock.
  /// `speaker_key` names whose adaptation state to use; empty when not known yet.
  /// REQUIRES: no segment is open.
  virtual void begin_segment(std::uint64_t segment,
                             std::int64_t start_sample,
                             std::string_view speaker_key) = 0;
  /// Appends mono float32, full scale +-1, 16 kHz, to the open segment; any length.
  virtual void push(std::span<const float> samples) = 0;
  /// Ends the open segment at `end_sample`, which may be earlier than what was pushed (a speaker
  /// change is seen late): the final covers [start_sample, end_sample) only.
  virtual void end_segment(std::int64_t end_sample) = 0;
};

struct RecogniserSessionOptions {
  std::vector<std::string> vocabulary;  ///< Title words, participants, glossary of the meeting.
};

/// An engine, shared by all meetings. Threads: every method is safe from any thread.
class Recogniser {
 public:
  Recogniser() = default;
  virtual ~Recogniser() = default;
  Recogniser(const Recogniser&) = delete;
  Recogniser& operator=(const Recogniser&) = delete;
  Recogniser(Recogniser&&) = delete;
  Recogniser& operator=(Recogniser&&) = delete;

  virtual RecogniserCaps caps() const = 0;
  /// Speech accepted but not yet answered, over all sessions [ms]. For status and admission.
  virtual std::int64_t lag_ms() const = 0;
  /// `sink` is kept until the session is destroyed. Never blocks, cannot fail: an engine that is
  /// down answers with kFailed.
  virtual std::unique_ptr<RecogniserSession> open(const RecogniserSessionOptions& options,
                                                  std::shared_ptr<RecogniserSink> sink) = 0;
};

}  // namespace qylon::models
