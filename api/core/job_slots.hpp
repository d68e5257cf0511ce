#pragma once
/// The jobs that a runner has in flight, and what operators see of them.

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "api/core/job_store.hpp"
#include "core/counters.hpp"

namespace qylon::api {

/// Threads: one.
class JobSlots {
 public:
  JobSlots(std::size_t slots_max, Counters& counters);

  std::size_t max() const noexcept { return slots_max_; }
  std::size_t free() const noexcept { return slots_max_ - slots_.size(); }
  bool empty() const noexcept { return slots_.empty(); }
  std::vector<JobTry> keys() const;

  /// Takes a slot; the result is the job's `stop`. REQUIRES: free() > 0.
  std::shared_ptr<const std::atomic<bool>> begin(const Job& job, std::int64_t now_ms);
  void end(const JobTry& key, std::int64_t now_ms);
  /// Tells every job but these that it is in vain. Their slots stay until they end.
  void stop_all_but(const std::vector<JobTry>& held);

  /// `written` of the ended tries were still theirs to end; the others were late.
  void count_ends(std::size_t finished, std::size_t failed, std::size_t written);
  void show(const QueueSample& sample);

 private:
  using Key = std::pair<std::int64_t, int>;
  struct Slot {
    std::int64_t began_ms;
    std::shared_ptr<std::atomic<bool>> stop;
  };
  static constexpr std::size_t kWindow = 1024;
  static constexpr std::array<int, 3> kPercentiles{50, 95, 99};

  const std::size_t slots_max_;
  std::map<Key, Slot> slots_;
  std::vector<std::int64_t> durations_ms_;  // Of the last kWindow jobs, a ring.
  std::size_t next_duration_ = 0;
  Counter& finished_;
  Counter& failed_;
  Counter& late_;
  Histogram& lag_;
  Gauge& in_flight_;
  Gauge& lag_ms_;
  std::array<Gauge*, kJobStates.size()> depth_{};
  std::array<Gauge*, kPercentiles.size()> duration_ms_{};
};

}  // namespace qylon::api
