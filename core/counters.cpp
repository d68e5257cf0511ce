#include "core/counters.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "core/check.hpp"

namespace qylon {
namespace {

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.9g", value);
  return text.data();
}

/// HELP and TYPE once per metric name, however many label sets it has.
void append_header(std::string& page,
                   std::set<std::string>& seen,
                   const std::string& name,
                   const std::string& help,
                   std::string_view type) {
  if (!seen.insert(name).second) return;
  page += "# HELP " + name + " " + help + "\n# TYPE " + name + " ";
  page += type;
  page += '\n';
}

/// `labels` with `le`: "{a=\"b\"}" -> "{a=\"b\",le=\"0.5\"}".
std::string with_bound(const std::string& labels, const std::string& bound) {
  const std::string before = labels.empty() ? "{" : labels.substr(0, labels.size() - 1) + ",";
  return before + "le=\"" + bound + "\"}";
}

void append_histogram(std::string& page,
                      const std::string& name,
                      const std::string& labels,
                      const Histogram& histogram) {
  std::uint64_t cumulative = 0;
  const auto& bounds = histogram.upper_bounds();
  for (std::size_t i = 0; i <= bounds.size(); ++i) {
    cumulative += histogram.bucket(i);
    const std::string bound = i == bounds.size() ? "+Inf" : number(bounds[i]);
    page += name + "_bucket" + with_bound(labels, bound) + " " + std::to_string(cumulative) + "\n";
  }
  page += name + "_sum" + labels + " " + number(histogram.sum()) + "\n";
  page += name + "_count" + labels + " " + std::to_string(cumulative) + "\n";
}

}  // namespace

Histogram::Histogram(std::vector<double> upper_bounds)
    : upper_bounds_(std::move(upper_bounds)),
      buckets_(std::make_unique<std::atomic<std::uint64_t>[]>(upper_bounds_.size() + 1)) {
  QYLON_CHECK(std::is_sorted(upper_bounds_.begin(), upper_bounds_.end()));
}

void Histogram::observe(double value) noexcept {
  const auto at = std::lower_bound(upper_bounds_.begin(), upper_bounds_.end(), value);
  const auto index = static_cast<std::size_t>(at - upper_bounds_.begin());
  buckets_[index].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t Histogram::bucket(std::size_t index) const noexcept {
  return buckets_[index].load(std::memory_order_relaxed);
}

template <typename Metric, typename... Arguments>
Metric& Counters::find_or_add(std::deque<Entry<Metric>>& entries,
                              std::string_view name,
                              std::string_view help,
                              std::string_view labels,
                              Arguments&&... arguments) {
  for (Entry<Metric>& entry : entries) {
    if (entry.name == name && entry.labels == labels) return *entry.metric;
  }
  entries.push_back({std::string(name),
                     std::string(help),
                     std::string(labels),
                     std::make_unique<Metric>(std::forward<Arguments>(arguments)...)});
  return *entries.back().metric;
}

template <typename Metric>
std::vector<const Counters::Entry<Metric>*> Counters::grouped(
    const std::deque<Entry<Metric>>& entries) {
  std::map<std::string_view, std::size_t> first;
  std::vector<const Entry<Metric>*> all;
  for (const Entry<Metric>& entry : entries) {
    first.try_emplace(entry.name, all.size());
    all.push_back(&entry);
  }
  std::stable_sort(all.begin(), all.end(), [&first](const auto* a, const auto* b) {
    return first.at(a->name) < first.at(b->name);
  });
  return all;
}

Counter& Counters::counter(std::string_view name, std::string_view help, std::string_view labels) {
  const MutexLock lock(mutex_);
  return find_or_add(counters_, name, help, labels);
}

Gauge& Counters::gauge(std::string_view name, std::string_view help, std::string_view labels) {
  const MutexLock lock(mutex_);
  return find_or_add(gauges_, name, help, labels);
}

Histogram& Counters::histogram(std::string_view name,
                               std::string_view help,
                               std::vector<double> upper_bounds,
                               std::string_view labels) {
  const MutexLock lock(mutex_);
  return find_or_add(histograms_, name, help, labels, std::move(upper_bounds));
}

std::string Counters::render() const {
  const MutexLock lock(mutex_);
  std::string page;
  std::set<std::string> seen;
  for (const auto* entry : grouped(counters_)) {
    append_header(page, seen, entry->name, entry->help, "counter");
    page += entry->name + entry->labels + " " + std::to_string(entry->metric->value()) + "\n";
  }
  for (const auto* entry : grouped(gauges_)) {
    append_header(page, seen, entry->name, entry->help, "gauge");
    page += entry->name + entry->labels + " " + std::to_string(entry->metric->value()) + "\n";
  }
  for (const auto* entry : grouped(histograms_)) {
    append_header(page, seen, entry->name, entry->help, "histogram");
    append_histogram(page, entry->name, entry->labels, *entry->metric);
  }
  return page;
}

}  // namespace qylon
