#include "models/worker/worker_recogniser.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "models/pcm16.hpp"

namespace qylon::models {
namespace {

constexpr std::size_t kHandOverSamples = kRecogniserRateHz / 10;

class WorkerSession final : public RecogniserSession {
 public:
  WorkerSession(std::shared_ptr<SegmentStore> store,
                std::shared_ptr<const Vocabulary> vocabulary,
                std::shared_ptr<RecogniserSink> sink)
      : store_(std::move(store)),
        key_(store_->open_session(std::move(vocabulary), std::move(sink))) {
    pending_.reserve(2 * kHandOverSamples);
  }
  ~WorkerSession() override { store_->close_session(key_); }
  WorkerSession(const WorkerSession&) = delete;
  WorkerSession& operator=(const WorkerSession&) = delete;
  WorkerSession(WorkerSession&&) = delete;
  WorkerSession& operator=(WorkerSession&&) = delete;

  void begin_segment(std::uint64_t segment,
                     std::int64_t start_sample,
                     std::string_view speaker_key) override {
    QYLON_CHECK(open_ == 0);
    open_ = store_->begin(key_, segment, start_sample, speaker_key);
  }

  void push(std::span<const float> samples) override {
    QYLON_CHECK(open_ != 0);
    append_pcm16(samples, pending_);
    if (pending_.size() >= kHandOverSamples) hand_over();
  }

  void end_segment(std::int64_t end_sample) override {
    QYLON_CHECK(open_ != 0);
    hand_over();
    store_->end(std::exchange(open_, 0), end_sample);
  }

 private:
  void hand_over() {
    if (!pending_.empty()) store_->append(open_, pending_);
    pending_.clear();
  }

  const std::shared_ptr<SegmentStore> store_;
  const SessionKey key_;
  SegmentKey open_ = 0;  // 0: no segment is open.
  std::vector<std::int16_t> pending_;
};

/// Phrases in a fixed order and number, so that equal vocabularies compare equal.
std::shared_ptr<const Vocabulary> normalise(Vocabulary phrases) {
  for (std::string& phrase : phrases)
    phrase.resize(std::min(phrase.size(), kVocabularyPhraseBytesMax));
  std::sort(phrases.begin(), phrases.end());
  phrases.erase(std::unique(phrases.begin(), phrases.end()), phrases.end());
  phrases.resize(std::min(phrases.size(), kVocabularyPhrasesMax));
  return std::make_shared<const Vocabulary>(std::move(phrases));
}

}  // namespace

Result<std::unique_ptr<WorkerRecogniser>> WorkerRecogniser::create(Options options,
                                                                   const Deps& deps) {
  const int wake_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) {
    return Error{ErrorCode::kUnavailable,
                 std::string("cannot make an event descriptor: ") + std::strerror(errno)};
  }
  std::unique_ptr<WorkerRecogniser> recogniser(
      new WorkerRecogniser(std::move(options), deps, wake_fd));
  if (Status started = recogniser->wait_for_start(); !started) return started.error();
  return recogniser;
}

WorkerRecogniser::WorkerRecogniser(Options options, const Deps& deps, int wake_fd)
    : options_(std::move(options)),
      deps_(deps),
      wake_fd_(wake_fd),
      store_(std::make_shared<SegmentStore>(
          options_.store,
          deps.clock,
          // A session may outlive the recogniser by a moment: it wakes a descriptor of its own.
          [shared = std::make_shared<UniqueFd>(::dup(wake_fd))] {
            const std::uint64_t one = 1;
            [[maybe_unused]] const ssize_t written = ::write(shared->get(), &one, sizeof one);
          })),
      thread_([this] { run(); }) {}

WorkerRecogniser::~WorkerRecogniser() {
  stopping_ = true;
  wake();
  thread_.join();
}

void WorkerRecogniser::wake() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_.get(), &one, sizeof one);
}

void WorkerRecogniser::run() {
  ::pthread_setname_np(::pthread_self(), "recogniser");
  WorkerPool pool(options_.pool, deps_.log, deps_.clock);
  Supervisor supervisor(options_.supervisor, {*store_, pool, deps_.counters, deps_.clock});
  while (!stopping_) {
    const std::vector<PoolEvent> events = pool.wait(wake_fd_.get(), supervisor.sleep_ms());
    std::uint64_t wakes = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_fd_.get(), &wakes, sizeof wakes);
    tell_start(events);
    supervisor.handle(events);
    supervisor.schedule();
  }
}

void WorkerRecogniser::tell_start(const std::vector<PoolEvent>& events) {
  for (const PoolEvent& event : events) {
    const bool failed = event.kind == PoolEvent::Kind::kZygoteFailed;
    if (!failed && event.kind != PoolEvent::Kind::kZygoteReady) continue;
    const MutexLock lock(start_mutex_);
    if (start_known_) return;
    start_known_ = true;
    if (failed) start_failure_ = event.text;
    started_.notify_all();
  }
}

Status WorkerRecogniser::wait_for_start() {
  const MutexLock lock(start_mutex_);
  while (!start_known_)
    started_.wait(start_mutex_);  // The pool ends a load that takes too long.
  if (start_failure_.empty()) return ok();
  return Error{ErrorCode::kUnavailable,
               "the " + options_.caps.engine + " recogniser cannot start: " + start_failure_};
}

std::int64_t WorkerRecogniser::lag_ms() const {
  return samples_to_ms(store_->waiting_samples());
}

std::unique_ptr<RecogniserSession> WorkerRecogniser::open(const RecogniserSessionOptions& options,
                                                          std::shared_ptr<RecogniserSink> sink) {
  return std::make_unique<WorkerSession>(store_, normalise(options.vocabulary), std::move(sink));
}

}  // namespace qylon::models
