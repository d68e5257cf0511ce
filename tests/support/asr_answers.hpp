#pragma once
/// What recogniser tests listen with, and speech for the stand-in engine.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/sync.hpp"
#include "models/recogniser.hpp"

namespace qylon::test {

/// Keeps every result. Threads: results from any thread, waiting from the test's.
class Answers final : public models::RecogniserSink {
 public:
  using Result = models::RecogniserResult;

  void on_result(Result result) override QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    results_.push_back(std::move(result));
    changed_.notify_all();
  }

  /// Waits for the answer (final or failed) of `segment`; fails the wait after a minute.
  Result answer(std::uint64_t segment) QYLON_EXCLUDES(mutex_) {
    return wait([&](const Result& result) {
      return result.segment == segment && result.kind != Result::Kind::kPartial;
    });
  }
  Result partial(std::uint64_t segment) QYLON_EXCLUDES(mutex_) {
    return wait([&](const Result& result) {
      return result.segment == segment && result.kind == Result::Kind::kPartial;
    });
  }
  std::vector<Result> all() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return results_;
  }

 private:
  Result wait(const std::function<bool(const Result&)>& wanted) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    for (;;) {
      for (const Result& result : results_) {
        if (wanted(result)) return result;
      }
      if (std::chrono::steady_clock::now() > deadline) break;
      changed_.wait_for(mutex_, std::chrono::milliseconds(200));
    }
    Result nothing;
    nothing.kind = Result::Kind::kFailed;
    nothing.reason = "no answer came within a minute";
    return nothing;
  }

  Mutex mutex_;
  Condition changed_;
  std::vector<Result> results_ QYLON_GUARDED_BY(mutex_);
};

inline std::string text_of(const models::RecogniserResult& result) {
  std::string text;
  for (const Word& word : result.words)
    text += (text.empty() ? "" : " ") + word.text;
  return text;
}

// Sample values that the stand-in engine (asr_vosk_standin.cpp) obeys.
inline constexpr int kCrash = 31337;
inline constexpr int kHang = 31338;
inline constexpr int kCrashOnce = 31339;
inline constexpr int kBadJson = 31340;
inline constexpr int kKillParent = 31341;
inline constexpr int kCountFiles = 31342;

/// `ms` of the sample value `value`, as float; 100 * n is the stand-in's n-th word ("one" is 1).
inline void append_run(std::vector<float>& speech, int value, int ms) {
  speech.insert(
      speech.end(), static_cast<std::size_t>(ms) * 16, static_cast<float>(value) / 32767.0F);
}
inline std::vector<float> run(int value, int ms) {
  std::vector<float> speech;
  append_run(speech, value, ms);
  return speech;
}

/// Begins, pushes and ends `segment` at `start_sample`.
inline void speak(models::RecogniserSession& session,
                  std::uint64_t segment,
                  std::int64_t start_sample,
                  const std::vector<float>& speech) {
  session.begin_segment(segment, start_sample, "");
  session.push(speech);
  session.end_segment(start_sample + static_cast<std::int64_t>(speech.size()));
}

}  // namespace qylon::test
