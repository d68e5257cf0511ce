#include "api/core/job_slots.hpp"

#include <algorithm>
#include <string>

namespace qylon::api {

JobSlots::JobSlots(std::size_t slots_max, Counters& counters)
    : slots_max_(slots_max),
      finished_(counters.counter("qylon_jobs_done_total", "Jobs that were done")),
      failed_(counters.counter("qylon_jobs_failed_total", "Tries of jobs that failed")),
      late_(counters.counter("qylon_jobs_late_total",
                             "Tries that ended after their lease, or after a cancel: in vain")),
      lag_(counters.histogram("qylon_jobs_lag_seconds",
                              "Time from a job's due time to its begin",
                              {0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 1000})),
      in_flight_(counters.gauge("qylon_jobs_in_flight", "Jobs that run now")),
      lag_ms_(counters.gauge("qylon_jobs_lag_ms", "How long the longest due job has waited")) {
  for (std::size_t i = 0; i < kJobStates.size(); ++i) {
    depth_[i] = &counters.gauge(
        "qylon_jobs", "Jobs in the queue", "{state=\"" + std::string(kJobStates[i]) + "\"}");
  }
  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    duration_ms_[i] = &counters.gauge("qylon_jobs_duration_ms",
                                      "Percentiles of the last 1,024 jobs' durations",
                                      "{quantile=\"0." + std::to_string(kPercentiles[i]) + "\"}");
  }
}

std::vector<JobTry> JobSlots::keys() const {
  std::vector<JobTry> keys;
  for (const auto& [key, slot] : slots_)
    keys.push_back({key.first, key.second});
  return keys;
}

std::shared_ptr<const std::atomic<bool>> JobSlots::begin(const Job& job, std::int64_t now_ms) {
  auto stop = std::make_shared<std::atomic<bool>>(false);
  slots_.insert_or_assign(Key{job.key.id, job.key.attempt}, Slot{now_ms, stop});
  lag_.observe(static_cast<double>(job.lag_ms) * 1e-3);
  in_flight_.set(static_cast<std::int64_t>(slots_.size()));
  return stop;
}

void JobSlots::end(const JobTry& key, std::int64_t now_ms) {
  const auto found = slots_.find({key.id, key.attempt});
  if (found == slots_.end()) return;
  const std::int64_t duration_ms = now_ms - found->second.began_ms;
  if (durations_ms_.size() < kWindow) {
    durations_ms_.push_back(duration_ms);
  } else {
    durations_ms_[next_duration_++ % kWindow] = duration_ms;
  }
  slots_.erase(found);
  in_flight_.set(static_cast<std::int64_t>(slots_.size()));
}

void JobSlots::stop_all_but(const std::vector<JobTry>& held) {
  for (auto& [key, slot] : slots_) {
    const JobTry wanted{key.first, key.second};
    if (std::find(held.begin(), held.end(), wanted) == held.end()) slot.stop->store(true);
  }
}

void JobSlots::count_ends(std::size_t finished, std::size_t failed, std::size_t written) {
  finished_.add(finished);
  failed_.add(failed);
  late_.add(finished + failed - std::min(written, finished + failed));
}

void JobSlots::show(const QueueSample& sample) {
  for (std::size_t i = 0; i < depth_.size(); ++i)
    depth_[i]->set(sample.depth[i]);
  lag_ms_.set(sample.lag_ms);
  if (durations_ms_.empty()) return;
  std::vector<std::int64_t> sorted = durations_ms_;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < kPercentiles.size(); ++i) {
    const std::size_t rank = (sorted.size() - 1) * static_cast<std::size_t>(kPercentiles[i]) / 100;
    duration_ms_[i]->set(sorted[rank]);
  }
}

}  // namespace qylon::api
