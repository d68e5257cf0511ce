#pragma once
/// Numbers that operators watch, in Prometheus' model: counters rise, gauges move, histograms
/// bucket. Register once at start, then add from any thread without a lock.

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/sync.hpp"

namespace qylon {

/// Threads: every method is safe from any thread and wait-free.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Threads: every method is safe from any thread and wait-free.
class Gauge {
 public:
  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t delta) noexcept { value_.fetch_add(delta, std::memory_order_relaxed); }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Threads: every method is safe from any thread and wait-free.
class Histogram {
 public:
  /// REQUIRES: `upper_bounds` rises strictly. A last bucket up to +Inf is added.
  explicit Histogram(std::vector<double> upper_bounds);
  void observe(double value) noexcept;

  const std::vector<double>& upper_bounds() const noexcept { return upper_bounds_; }
  /// Observations in bucket `index` alone (not cumulative); index == upper_bounds().size() is +Inf.
  std::uint64_t bucket(std::size_t index) const noexcept;
  double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::vector<double> upper_bounds_;  // Constant after construction.
  std::unique_ptr<std::atomic<std::uint64_t>[]> buckets_;
  std::atomic<double> sum_{0.0};
};

/// Owns every metric. References stay valid for the registry's life.
/// Threads: every method is safe from any thread; registering and rendering take a lock.
class Counters {
 public:
  /// `name` without labels, e.g. "qylon_uplink_frames_total"; `labels` as rendered, e.g.
  /// `{reason="late"}` or empty. The same name and labels return the same metric.
  Counter& counter(std::string_view name, std::string_view help, std::string_view labels = "");
  Gauge& gauge(std::string_view name, std::string_view help, std::string_view labels = "");
  Histogram& histogram(std::string_view name,
                       std::string_view help,
                       std::vector<double> upper_bounds,
                       std::string_view labels = "");

  /// Prometheus text exposition format 0.0.4.
  std::string render() const;

 private:
  template <typename Metric>
  struct Entry {
    std::string name;
    std::string help;
    std::string labels;
    std::unique_ptr<Metric> metric;
  };
  template <typename Metric, typename... Arguments>
  static Metric& find_or_add(std::deque<Entry<Metric>>& entries,
                             std::string_view name,
                             std::string_view help,
                             std::string_view labels,
                             Arguments&&... arguments);
  /// The entries of one name together, in the order in which the names first came.
  template <typename Metric>
  static std::vector<const Entry<Metric>*> grouped(const std::deque<Entry<Metric>>& entries);

  mutable Mutex mutex_;
  std::deque<Entry<Counter>> counters_ QYLON_GUARDED_BY(mutex_);
  std::deque<Entry<Gauge>> gauges_ QYLON_GUARDED_BY(mutex_);
  std::deque<Entry<Histogram>> histograms_ QYLON_GUARDED_BY(mutex_);
};

}  // namespace qylon
