#include "models/openai_http.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include <pthread.h>

#include "core/backoff.hpp"
#include "core/sync.hpp"
#include "models/http_transcriber.hpp"
#include "models/pcm16.hpp"
#include "models/speech_budget.hpp"

namespace qylon::models {
namespace {

constexpr const char* kEngineName = "openai-http";
constexpr std::size_t kWaitingMax = 1000;
constexpr std::int64_t kSegmentSamplesMax = 60LL * kRecogniserRateHz;
constexpr int kFailuresToRest = 3;
constexpr std::int64_t kRestMsMin = 5000;
constexpr std::int64_t kRestMsMax = 60'000;

/// A session's end of the answers: empty once the session is gone.
struct Address {
  std::weak_ptr<RecogniserSink> sink;
  std::string prompt;
};

struct Job {
  std::shared_ptr<const Address> address;
  std::uint64_t segment = 0;
  std::int64_t start_sample = 0;
  std::vector<std::int16_t> samples;
};

std::string joined(const std::vector<std::string>& phrases) {
  constexpr std::size_t kPromptBytesMax = 800;  // Whisper reads 224 tokens of prompt.
  std::string prompt;
  for (const std::string& phrase : phrases) {
    if (prompt.size() + phrase.size() + 2 > kPromptBytesMax) break;
    prompt += (prompt.empty() ? "" : ", ") + phrase;
  }
  return prompt;
}

std::vector<Word> on_sample_clock(const Transcription& heard, const Job& job) {
  const std::int64_t start_ms = samples_to_ms(job.start_sample);
  const std::int64_t end_ms =
      start_ms + samples_to_ms(static_cast<std::int64_t>(job.samples.size()));
  std::vector<Word> words;
  for (const DecodedWord& word : heard.words) {
    words.push_back({word.text,
                     std::min(start_ms + word.start_ms, end_ms),
                     std::min(start_ms + word.end_ms, end_ms),
                     word.confidence});
  }
  return words;
}

}  // namespace

/// Ended segments on their way to the server, and how the server is doing.
class OpenAiQueue {
 public:
  OpenAiQueue(OpenAiHttpRecogniser::Options options, const OpenAiHttpRecogniser::Deps& deps)
      : options_(std::move(options)),
        log_(deps.log),
        clock_(deps.clock),
        budget_(options_.speech_samples_max),
        requests_(deps.counters.counter("qylon_recogniser_http_requests_total",
                                        "Requests to the transcription server.")),
        failures_(deps.counters.counter("qylon_recogniser_http_failures_total",
                                        "Segments that the transcription server did not answer.")) {
  }

  SpeechBudget& budget() noexcept { return budget_; }

  void add(Job job) QYLON_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (!stop_ && jobs_.size() < kWaitingMax) {
        waiting_samples_ += static_cast<std::int64_t>(job.samples.size());
        jobs_.push_back(std::move(job));
        changed_.notify_one();
        return;
      }
    }
    fail(job, "too many segments wait for the transcription server");
    budget_.give_back(static_cast<std::int64_t>(job.samples.size()));
  }

  /// Body of each of the engine's threads.
  void run(std::uint64_t seed) QYLON_EXCLUDES(mutex_) {
    HttpTranscriber transcriber(
        {options_.base_url, options_.key, options_.model, options_.language}, stop_);
    while (auto job = take()) {
      auto result = decode(transcriber, *job, seed++);
      release(*job);
      if (result) answer(*job, std::move(*result));
    }
  }

  void stop() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }

  std::int64_t waiting_samples() const QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return waiting_samples_;
  }

  void fail(const Job& job, std::string reason) { answer(job, failed(std::move(reason))); }

 private:
  std::optional<Job> take() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (jobs_.empty() && !stop_)
      changed_.wait(mutex_);
    if (stop_) return std::nullopt;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
  }

  /// Nothing when nobody waits for it any more.
  std::optional<RecogniserResult> decode(HttpTranscriber& transcriber,
                                         const Job& job,
                                         std::uint64_t seed) {
    if (job.address->sink.expired()) return std::nullopt;
    if (resting())
      return failed("the transcription server failed a moment ago and is left alone for a while");
    auto heard = try_often(transcriber, job, seed);
    if (stop_) return std::nullopt;
    note(heard);
    if (!heard) return failed(heard.error().message);
    RecogniserResult result;
    result.kind = RecogniserResult::Kind::kFinal;
    result.words = on_sample_clock(*heard, job);
    result.stable_words = result.words.size();
    result.language = heard->language.empty() ? options_.language : heard->language;
    return result;
  }

  RecogniserResult failed(std::string reason) {
    failures_.add();
    RecogniserResult result;
    result.kind = RecogniserResult::Kind::kFailed;
    result.reason = std::move(reason);
    return result;
  }

  void release(const Job& job) QYLON_EXCLUDES(mutex_) {
    const auto samples = static_cast<std::int64_t>(job.samples.size());
    budget_.give_back(samples);
    const MutexLock lock(mutex_);
    waiting_samples_ -= samples;
  }

  Result<Transcription> try_often(HttpTranscriber& transcriber,
                                  const Job& job,
                                  std::uint64_t seed) {
    Backoff backoff({options_.retry_base_ms, options_.timeout_ms, seed});
    const std::int64_t deadline_us = clock_.monotonic_us() + 2 * options_.timeout_ms * 1000;
    for (int attempt = 0;; ++attempt) {
      requests_.add();
      auto heard = transcriber.transcribe(job.samples, job.address->prompt, options_.timeout_ms);
      const bool again = !heard && heard.error().code == ErrorCode::kUnavailable &&
                         attempt < options_.retries && clock_.monotonic_us() < deadline_us;
      if (!again || !pause(backoff.next_ms())) return heard;
    }
  }

  /// False when the engine stops meanwhile.
  bool pause(std::int64_t wait_ms) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
    while (!stop_) {
      const auto left = until - std::chrono::steady_clock::now();
      if (left.count() <= 0) return true;
      changed_.wait_for(mutex_, std::chrono::ceil<std::chrono::microseconds>(left));
    }
    return false;
  }

  bool resting() const QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return clock_.monotonic_us() < rest_until_us_;
  }

  void note(const Result<Transcription>& heard) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const bool is_down = !heard && heard.error().code == ErrorCode::kUnavailable;
    if (!is_down) {
      failed_running_ = 0;
      rest_ms_ = 0;
      return;
    }
    if (++failed_running_ < kFailuresToRest) return;
    rest_ms_ = std::clamp(rest_ms_ * 2, kRestMsMin, kRestMsMax);
    rest_until_us_ = clock_.monotonic_us() + rest_ms_ * 1000;
    log_.warn("transcription_server_down",
              {{"reason", heard.error().message}, {"rest_ms", std::to_string(rest_ms_)}});
  }

  static void answer(const Job& job, RecogniserResult result) {
    const auto sink = job.address->sink.lock();
    if (sink == nullptr) return;
    result.segment = job.segment;
    result.revision = 1;
    result.engine = kEngineName;
    sink->on_result(std::move(result));
  }

  const OpenAiHttpRecogniser::Options options_;  // Constant after construction.
  const Log& log_;
  const Clock& clock_;
  SpeechBudget budget_;
  Counter& requests_;
  Counter& failures_;
  std::atomic<bool> stop_{false};
  mutable Mutex mutex_;
  Condition changed_;
  std::deque<Job> jobs_ QYLON_GUARDED_BY(mutex_);
  std::int64_t waiting_samples_ QYLON_GUARDED_BY(mutex_) = 0;
  int failed_running_ QYLON_GUARDED_BY(mutex_) = 0;
  std::int64_t rest_ms_ QYLON_GUARDED_BY(mutex_) = 0;
  std::int64_t rest_until_us_ QYLON_GUARDED_BY(mutex_) = 0;
};

namespace {

class OpenAiSession final : public RecogniserSession {
 public:
  OpenAiSession(std::shared_ptr<OpenAiQueue> queue,
                const RecogniserSessionOptions& options,
                std::shared_ptr<RecogniserSink> sink)
      : queue_(std::move(queue)),
        sink_(std::move(sink)),
        address_(std::make_shared<const Address>(Address{sink_, joined(options.vocabulary)})) {}
  ~OpenAiSession() override { drop_audio(); }
  OpenAiSession(const OpenAiSession&) = delete;
  OpenAiSession& operator=(const OpenAiSession&) = delete;
  OpenAiSession(OpenAiSession&&) = delete;
  OpenAiSession& operator=(OpenAiSession&&) = delete;

  void begin_segment(std::uint64_t segment,
                     std::int64_t start_sample,
                     std::string_view /*speaker_key*/) override {
    job_.address = address_;
    job_.segment = segment;
    job_.start_sample = start_sample;
    refused_ = false;
  }

  void push(std::span<const float> samples) override {
    const auto count = static_cast<std::int64_t>(samples.size());
    const auto held = static_cast<std::int64_t>(job_.samples.size());
    if (refused_) return;
    if (held + count > kSegmentSamplesMax || !queue_->budget().try_take(count)) {
      drop_audio();
      refused_ = true;
      return;
    }
    append_pcm16(samples, job_.samples);
  }

  void end_segment(std::int64_t end_sample) override {
    const auto held = static_cast<std::int64_t>(job_.samples.size());
    const std::int64_t kept = std::clamp<std::int64_t>(end_sample - job_.start_sample, 0, held);
    queue_->budget().give_back(held - kept);
    job_.samples.resize(static_cast<std::size_t>(kept));
    if (refused_) {
      queue_->fail(job_, "too much speech was waiting to hold this segment's audio");
    } else {
      queue_->add(std::move(job_));
    }
    job_ = {};
  }

 private:
  void drop_audio() {
    queue_->budget().give_back(static_cast<std::int64_t>(job_.samples.size()));
    job_.samples = {};
  }

  const std::shared_ptr<OpenAiQueue> queue_;
  const std::shared_ptr<RecogniserSink> sink_;
  const std::shared_ptr<const Address> address_;
  Job job_;
  bool refused_ = false;
};

}  // namespace

Result<std::unique_ptr<OpenAiHttpRecogniser>> OpenAiHttpRecogniser::create(Options options,
                                                                           const Deps& deps) {
  if (!options.base_url.starts_with("http://") && !options.base_url.starts_with("https://")) {
    return Error{ErrorCode::kInvalidArgument,
                 "the transcription server's base URL '" + options.base_url +
                     "' must begin with http:// or https://, e.g. http://127.0.0.1:8000/v1"};
  }
  while (options.base_url.ends_with('/'))
    options.base_url.pop_back();
  return std::unique_ptr<OpenAiHttpRecogniser>(new OpenAiHttpRecogniser(std::move(options), deps));
}

OpenAiHttpRecogniser::OpenAiHttpRecogniser(Options options, const Deps& deps)
    : options_(std::move(options)), queue_(std::make_shared<OpenAiQueue>(options_, deps)) {
  for (int i = 0; i < options_.concurrency; ++i) {
    threads_.emplace_back([queue = queue_, i] {
      ::pthread_setname_np(::pthread_self(), "recogniser");
      queue->run(static_cast<std::uint64_t>(i) * 1'000'003 + 1);
    });
  }
}

OpenAiHttpRecogniser::~OpenAiHttpRecogniser() {
  queue_->stop();
  for (std::thread& thread : threads_)
    thread.join();
}

RecogniserCaps OpenAiHttpRecogniser::caps() const {
  RecogniserCaps caps;
  caps.engine = kEngineName;
  caps.word_times = true;
  caps.vocabulary = true;
  caps.language = options_.language;
  caps.concurrency_max = options_.concurrency;
  return caps;
}

std::int64_t OpenAiHttpRecogniser::lag_ms() const {
  return samples_to_ms(queue_->waiting_samples());
}

std::unique_ptr<RecogniserSession> OpenAiHttpRecogniser::open(
    const RecogniserSessionOptions& options,
    std::shared_ptr<RecogniserSink> sink) {
  return std::make_unique<OpenAiSession>(queue_, options, std::move(sink));
}

}  // namespace qylon::models
