// Supervisor: who decodes what, and when.

#include <algorithm>
#include <utility>

#include "models/worker/supervisor.hpp"

namespace qylon::models {
namespace {

constexpr std::int64_t kStartTimeoutUs = 30'000'000;

bool finals_first(const SegmentView& a, const SegmentView& b) {
  return std::pair(a.ended_us, a.key) < std::pair(b.ended_us, b.key);
}

}  // namespace

void Supervisor::schedule() {
  end_overdue();
  starts_claimed_ = 0;
  std::vector<SegmentView> views = store_.views();
  drop_abandoned(views);
  std::erase_if(views, [](const SegmentView& view) { return view.abandoned; });
  for (const SegmentView& view : views)
    progress_.try_emplace(view.key);
  const auto open = std::partition(
      views.begin(), views.end(), [](const SegmentView& view) { return view.ended; });
  schedule_finals({views.begin(), open});
  schedule_live({open, views.end()});
}

void Supervisor::end_overdue() {
  const std::int64_t now_us = clock_.monotonic_us();
  std::vector<WorkerId> overdue;
  for (const auto& [id, worker] : workers_) {
    const bool waits = !worker.ready || worker.unanswered > 0;
    if (waits && now_us > worker.deadline_us) overdue.push_back(id);
  }
  for (const WorkerId id : overdue)
    break_worker(id, "it took too long");
}

void Supervisor::drop_abandoned(const std::vector<SegmentView>& views) {
  for (const SegmentView& view : views) {
    if (!view.abandoned) continue;
    const auto found = progress_.find(view.key);
    if (found != progress_.end()) {
      release(found->second.worker);
      progress_.erase(found);
    }
    store_.remove(view.key);
  }
}

void Supervisor::schedule_finals(std::vector<SegmentView> views) {
  std::sort(views.begin(), views.end(), finals_first);
  for (const SegmentView& view : views) {
    const Progress& progress = progress_.at(view.key);
    if (progress.finishing || answer_without_worker(view)) continue;
    if (progress.worker != 0) {  // It heard the segment live and goes on from there.
      send_final(view, progress.worker);
      continue;
    }
    if (computing() >= options_.computing_max) continue;
    if (const auto id = acquire(view, true)) send_final(view, *id);
  }
}

bool Supervisor::answer_without_worker(const SegmentView& view) {
  const WorkerId held = progress_.at(view.key).worker;
  const std::int64_t waited_us = clock_.monotonic_us() - view.ended_us;
  if (view.refused) {
    release(held);
    fail(view.key, "too much speech was waiting for the recogniser to hold this segment's audio");
  } else if (view.samples == 0) {
    release(held);
    answer(view.key, RecogniserResult::Kind::kFinal, {}, "");
  } else if (held == 0 && waited_us > options_.final_wait_ms_max * 1000) {
    fail(view.key,
         "no recogniser worker was free for " + std::to_string(waited_us / 1'000'000) + " s");
  } else {
    return false;
  }
  return true;
}

void Supervisor::schedule_live(std::vector<SegmentView> views) {
  std::sort(views.begin(), views.end(), [this](const SegmentView& a, const SegmentView& b) {
    return progress_.at(a.key).last_live_us < progress_.at(b.key).last_live_us;
  });
  for (const SegmentView& view : views) {
    if (!wants_live(view)) continue;
    if (computing() >= options_.computing_max) return;
    Progress& progress = progress_.at(view.key);
    if (progress.worker == 0) {
      const auto id = acquire(view, false);
      if (!id) continue;
      assign(view, *id, true);
    }
    send_live(view, progress.worker);
  }
}

/// True when enough new audio is there and its worker, if any, waits for it.
bool Supervisor::wants_live(const SegmentView& view) {
  Progress& progress = progress_.at(view.key);
  if (view.refused) stop_live(progress);
  const std::int64_t fresh = view.samples - progress.sent_samples;
  if (!progress.live_allowed || fresh < ms_to_samples(options_.live_step_ms)) return false;
  if (progress.worker != 0 && workers_.at(progress.worker).unanswered > 0) return false;
  if (fresh <= ms_to_samples(options_.live_backlog_ms)) return true;
  stop_live(progress);
  return false;
}

/// The segment shows no more partials; its final is decoded as a whole.
void Supervisor::stop_live(Progress& progress) {
  if (!std::exchange(progress.live_allowed, false)) return;
  partials_dropped_.add();
  release(std::exchange(progress.worker, 0));
  progress.sent_samples = 0;
}

void Supervisor::send_live(const SegmentView& view, WorkerId id) {
  send_audio(view, id);
  pool_.send(id, DecodeFrame::kListen, "");
  progress_.at(view.key).last_live_us = clock_.monotonic_us();
  count_request(id, view.samples);
}

void Supervisor::send_final(const SegmentView& view, WorkerId id) {
  Progress& progress = progress_.at(view.key);
  if (progress.worker == 0) assign(view, id, false);
  send_audio(view, id);
  PayloadWriter writer;
  writer.value(static_cast<std::uint32_t>(view.samples));
  pool_.send(id, DecodeFrame::kFinish, writer.bytes());
  progress.finishing = true;
  count_request(id, view.samples);
}

void Supervisor::assign(const SegmentView& view, WorkerId id, bool live) {
  Worker& worker = workers_.at(id);
  if (worker.vocabulary == nullptr && !view.vocabulary->empty()) {
    pool_.send(id, DecodeFrame::kVocabulary, encode_phrases(*view.vocabulary));
    worker.vocabulary = view.vocabulary;
  }
  worker.segment = view.key;
  Progress& progress = progress_.at(view.key);
  progress.worker = id;
  progress.sent_samples = 0;
  SegmentSetup setup;
  setup.live = live;
  setup.mean = store_.expected_mean(view.key);
  pool_.send(id, DecodeFrame::kBegin, encode_setup(setup));
}

void Supervisor::send_audio(const SegmentView& view, WorkerId id) {
  Progress& progress = progress_.at(view.key);
  const std::string bytes = store_.audio(view.key, progress.sent_samples, view.samples);
  if (bytes.empty()) return;
  pool_.send(id, DecodeFrame::kAudio, bytes);
  progress.sent_samples += static_cast<std::int64_t>(bytes.size() / sizeof(std::int16_t));
}

void Supervisor::count_request(WorkerId id, std::int64_t samples) {
  Worker& worker = workers_.at(id);
  ++worker.unanswered;
  const std::int64_t allowed_ms =
      options_.request_base_ms + samples_to_ms(samples) * options_.request_ms_per_s / 1000;
  worker.deadline_us = clock_.monotonic_us() + allowed_ms * 1000;
}

int Supervisor::computing() const {
  int count = 0;
  for (const auto& [id, worker] : workers_)
    count += worker.unanswered > 0 ? 1 : 0;
  return count;
}

std::optional<WorkerId> Supervisor::acquire(const SegmentView& view, bool for_final) {
  if (const auto idle = idle_worker(*view.vocabulary)) return idle;
  return make_room(for_final, *view.vocabulary);
}

std::optional<WorkerId> Supervisor::idle_worker(const Vocabulary& vocabulary) const {
  std::optional<WorkerId> untold;
  for (const auto& [id, worker] : workers_) {
    if (!worker.ready || worker.segment != 0 || worker.unanswered > 0) continue;
    if (worker.vocabulary == nullptr) {
      untold = id;
      if (vocabulary.empty()) return id;
    } else if (*worker.vocabulary == vocabulary) {
      return id;
    }
  }
  return untold;
}

/// Starts a worker, or takes one from something less urgent. Returns it when it can be used now.
std::optional<WorkerId> Supervisor::make_room(bool for_final, const Vocabulary& vocabulary) {
  const auto starting = std::count_if(
      workers_.begin(), workers_.end(), [](const auto& entry) { return !entry.second.ready; });
  if (starts_claimed_ < starting) {
    ++starts_claimed_;
    return std::nullopt;
  }
  if (static_cast<int>(workers_.size()) >= options_.workers_max) {
    const WorkerId victim = least_urgent_worker(for_final);
    if (victim == 0) return std::nullopt;
    if (workers_.at(victim).segment != 0) stop_live(progress_.at(workers_.at(victim).segment));
    if (const auto freed = idle_worker(vocabulary)) return freed;
    pool_.kill(victim);
    workers_.erase(victim);
  }
  if (pool_.can_spawn()) {
    spawn_worker();
    ++starts_claimed_;
  }
  return std::nullopt;
}

/// An idle one, which holds another vocabulary; for a final else the newest that only listens.
/// 0: all compute or start.
WorkerId Supervisor::least_urgent_worker(bool for_final) const {
  WorkerId live = 0;
  for (const auto& [id, worker] : workers_) {
    if (!worker.ready || worker.unanswered > 0) continue;
    if (worker.segment == 0) return id;
    if (live == 0 || worker.segment > workers_.at(live).segment) live = id;
  }
  return for_final ? live : 0;
}

void Supervisor::spawn_worker() {
  const auto id = pool_.spawn();
  if (!id) return;  // Out of descriptors: the segment waits, at most final_wait_ms_max.
  Worker worker;
  worker.deadline_us = clock_.monotonic_us() + kStartTimeoutUs;
  workers_.emplace(*id, worker);
}

/// Gives a worker back to the idle ones, whatever it was doing; 0 is none.
void Supervisor::release(WorkerId id) {
  const auto found = workers_.find(id);
  if (found == workers_.end()) return;
  if (found->second.unanswered > 0) {  // Killing is quicker than waiting for an unwanted answer.
    pool_.kill(id);
    workers_.erase(found);
    return;
  }
  pool_.send(id, DecodeFrame::kAbandon, "");
  found->second.segment = 0;
}

}  // namespace qylon::models
