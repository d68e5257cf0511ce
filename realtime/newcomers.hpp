#pragma once
/// The connections of which nobody knows yet what they want.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/counters.hpp"

namespace qylon::realtime {

/// A connection is a newcomer from accept until its first request is whole, and as a WebSocket
/// until its first message has said whom it speaks for.
///
/// Bounds  : while `max` are there no more are accepted: they wait in the kernel's queue. While
///           half as many are there each has kPatienceUs: a flood of silent ones makes way.
/// Threads : every method is safe from any thread; a Place belongs to one at a time.
class Newcomers {
 public:
  static constexpr std::int64_t kPatienceUs = 1'000'000;

  /// `count` must outlive this and every Place.
  Newcomers(std::size_t max, Gauge& count)
      : max_(static_cast<std::int64_t>(std::max<std::size_t>(max, 1))), count_(count) {}

  /// One newcomer, counted while it is held.
  class Place {
   public:
    Place() = default;
    Place(Newcomers& newcomers, std::int64_t now_us) : newcomers_(&newcomers), since_us_(now_us) {
      newcomers.count_.add(1);
    }
    Place(Place&& other) noexcept
        : newcomers_(std::exchange(other.newcomers_, nullptr)), since_us_(other.since_us_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(newcomers_, other.newcomers_);
      std::swap(since_us_, other.since_us_);
      return *this;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { leave(); }

    bool held() const noexcept { return newcomers_ != nullptr; }
    void leave() noexcept {
      if (held()) std::exchange(newcomers_, nullptr)->count_.add(-1);
    }
    /// It must make way for others.
    bool is_over(std::int64_t now_us) const noexcept {
      return held() && now_us - since_us_ > kPatienceUs && newcomers_->is_crowded();
    }

   private:
    Newcomers* newcomers_ = nullptr;
    std::int64_t since_us_ = 0;
  };

  bool is_full() const noexcept { return count_.value() >= max_; }

 private:
  bool is_crowded() const noexcept { return 2 * count_.value() >= max_; }

  const std::int64_t max_;
  Gauge& count_;
};

}  // namespace qylon::realtime
