#include "models/worker/supervisor.hpp"

#include <algorithm>
#include <utility>

namespace qylon::models {
namespace {

constexpr int kLossesMax = 2;
constexpr int kPollMsMax = 250;  // Deadlines are looked at this often, whatever turns the clock.

constexpr std::string_view kSegmentsName = "qylon_recogniser_segments_total";
constexpr std::string_view kSegmentsHelp = "Speech segments answered by worker engines.";

/// Words equal in two partials running will hardly change, except the last one, which may still be
/// growing (two-poll agreement).
std::size_t agreed_words(const std::vector<std::string>& before,
                         const std::vector<DecodedWord>& now) {
  std::size_t agreed = 0;
  while (agreed + 1 < now.size() && agreed < before.size() && before[agreed] == now[agreed].text)
    ++agreed;
  return agreed;
}

std::vector<std::string> texts(const std::vector<DecodedWord>& words) {
  std::vector<std::string> list;
  list.reserve(words.size());
  for (const DecodedWord& word : words)
    list.push_back(word.text);
  return list;
}

std::vector<Word> on_sample_clock(const std::vector<DecodedWord>& words,
                                  std::int64_t start_sample) {
  const std::int64_t start_ms = samples_to_ms(start_sample);
  std::vector<Word> list;
  list.reserve(words.size());
  for (const DecodedWord& word : words)
    list.push_back({word.text, start_ms + word.start_ms, start_ms + word.end_ms, word.confidence});
  return list;
}

}  // namespace

Supervisor::Supervisor(Options options, const Deps& deps)
    : options_(std::move(options)),
      store_(deps.store),
      pool_(deps.pool),
      clock_(deps.clock),
      finals_(deps.counters.counter(kSegmentsName, kSegmentsHelp, R"({result="final"})")),
      failures_(deps.counters.counter(kSegmentsName, kSegmentsHelp, R"({result="failed"})")),
      retries_(deps.counters.counter("qylon_recogniser_retries_total",
                                     "Segments decoded again because a worker was lost.")),
      partials_(deps.counters.counter("qylon_recogniser_partials_total", "Partials shown.")),
      partials_dropped_(
          deps.counters.counter("qylon_recogniser_live_dropped_total",
                                "Segments that lost their partials to finals or to lag.")),
      workers_lost_(deps.counters.counter("qylon_recogniser_workers_lost_total",
                                          "Worker processes that crashed or took too long.")),
      words_skipped_(deps.counters.counter("qylon_recogniser_vocabulary_skipped_total",
                                           "Vocabulary phrases that could not be used.")) {
  QYLON_CHECK(options_.computing_max >= 1 && options_.workers_max >= options_.computing_max);
}

void Supervisor::handle(const std::vector<PoolEvent>& events) {
  for (const PoolEvent& event : events) {
    switch (event.kind) {
      case PoolEvent::Kind::kZygoteReady:
        warm_up();
        break;
      case PoolEvent::Kind::kZygoteFailed:
        break;  // Its workers' own events say what is lost.
      case PoolEvent::Kind::kFrame:
        on_frame(event.worker, event.frame);
        break;
      case PoolEvent::Kind::kGone:
        on_gone(event.worker, event.text);
        break;
    }
  }
}

void Supervisor::warm_up() {
  while (static_cast<int>(workers_.size()) < options_.computing_max && pool_.can_spawn()) {
    const std::size_t before = workers_.size();
    spawn_worker();
    if (workers_.size() == before) return;  // No descriptors left; schedule() tries again.
  }
}

void Supervisor::on_frame(WorkerId id, const Frame& frame) {
  const auto found = workers_.find(id);
  if (found == workers_.end()) return;
  if (frame.type == ControlFrame::kReady) {
    found->second.ready = true;
    found->second.deadline_us = 0;
    return;
  }
  const auto decoded = parse_decoded(frame.payload);
  const bool expected = found->second.unanswered > 0 && decoded.has_value();
  if (expected && frame.type == DecodeFrame::kPartial) {
    on_partial(id, *decoded);
  } else if (expected && frame.type == DecodeFrame::kFinal) {
    on_final(id, *decoded);
  } else {
    break_worker(id, "it sent what nobody asked for");
  }
}

void Supervisor::on_partial(WorkerId id, const Decoded& decoded) {
  Worker& worker = workers_.at(id);
  --worker.unanswered;
  const auto found = progress_.find(worker.segment);
  if (found == progress_.end() || found->second.finishing) return;
  Progress& progress = found->second;
  std::vector<std::string> words = texts(decoded.words);
  if (words.empty() || words == progress.last_words) return;
  const auto owner = store_.next_revision(worker.segment);
  if (!owner || owner->sink == nullptr) return;
  RecogniserResult result;
  result.segment = owner->segment;
  result.revision = owner->revision;
  result.words = on_sample_clock(decoded.words, owner->start_sample);
  result.stable_words = agreed_words(progress.last_words, decoded.words);
  result.language = options_.language;
  result.engine = options_.engine;
  progress.last_words = std::move(words);
  partials_.add();
  owner->sink->on_result(std::move(result));
}

void Supervisor::on_final(WorkerId id, const Decoded& decoded) {
  const SegmentKey key = workers_.at(id).segment;
  workers_.at(id).unanswered = 0;
  workers_.at(id).segment = 0;
  words_skipped_.add(decoded.skipped_words);
  store_.learn_mean(key, decoded.mean);
  answer(key, RecogniserResult::Kind::kFinal, decoded, "");
}

void Supervisor::on_gone(WorkerId id, std::string_view how) {
  const auto found = workers_.find(id);
  if (found == workers_.end()) return;
  const SegmentKey key = found->second.segment;
  workers_.erase(found);
  workers_lost_.add();
  if (key != 0) lose_worker_of(key, how);
}

void Supervisor::break_worker(WorkerId id, std::string_view how) {
  pool_.kill(id);
  on_gone(id, how);
}

void Supervisor::lose_worker_of(SegmentKey key, std::string_view how) {
  const auto found = progress_.find(key);
  if (found == progress_.end()) return;
  Progress& progress = found->second;
  progress.worker = 0;
  progress.sent_samples = 0;
  progress.live_allowed = false;  // What broke it may be in the audio: one more try, as a whole.
  progress.finishing = false;
  ++progress.losses;
  if (progress.losses < kLossesMax) {
    retries_.add();
  } else {
    fail(key, "the recogniser broke twice on this segment: " + std::string(how));
  }
}

void Supervisor::fail(SegmentKey key, std::string reason) {
  answer(key, RecogniserResult::Kind::kFailed, {}, std::move(reason));
}

void Supervisor::answer(SegmentKey key,
                        RecogniserResult::Kind kind,
                        const Decoded& decoded,
                        std::string reason) {
  auto owner = store_.next_revision(key);
  store_.remove(key);
  progress_.erase(key);
  if (!owner || owner->sink == nullptr) return;
  (kind == RecogniserResult::Kind::kFinal ? finals_ : failures_).add();
  RecogniserResult result;
  result.segment = owner->segment;
  result.revision = owner->revision;
  result.kind = kind;
  result.words = on_sample_clock(decoded.words, owner->start_sample);
  result.stable_words = result.words.size();
  result.language = options_.language;
  result.engine = options_.engine;
  result.reason = std::move(reason);
  owner->sink->on_result(std::move(result));
}

int Supervisor::sleep_ms() const {
  if (!progress_.empty()) return kPollMsMax;
  for (const auto& [id, worker] : workers_) {
    if (worker.deadline_us != 0) return kPollMsMax;
  }
  return -1;
}

}  // namespace qylon::models
