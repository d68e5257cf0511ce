#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <span>
#include <string>

#include "bench/chaosproxy/weather.hpp"

namespace qylon::chaosproxy {

/// One direction of one connection: bytes come out later than they went in, at the pace that the
/// weather allows, in order. Pure: time is an argument, chance comes from the seed.
///
/// Bounds  : 256 KiB; more is not taken, so that the sender's TCP window closes as on a slow line.
/// Threads : one thread at a time.
class DelayLine {
 public:
  static constexpr std::size_t kBytesMax = 256 << 10;
  static constexpr std::int64_t kNever = INT64_MAX;

  explicit DelayLine(std::uint64_t seed) : random_(seed) {}

  /// How much push() takes now.
  std::size_t room() const noexcept { return kBytesMax - held_; }
  /// REQUIRES: bytes.size() <= room().
  void push(std::span<const char> bytes, const Weather& weather, std::int64_t now_us);
  /// What may leave now; pop() what left. Empty: wait until due_us().
  std::span<const char> ready(const Weather& weather, std::int64_t now_us);
  void pop(std::size_t bytes, const Weather& weather, std::int64_t now_us);
  /// When ready() has something, or kNever.
  std::int64_t due_us() const noexcept;
  bool empty() const noexcept { return pieces_.empty(); }
  std::uint64_t passed() const noexcept { return passed_; }

 private:
  struct Piece {
    std::string bytes;
    std::size_t taken = 0;
    std::int64_t due_us = 0;
  };
  std::mt19937_64 random_;
  std::deque<Piece> pieces_;
  std::size_t held_ = 0;
  std::int64_t newest_due_us_ = 0;
  std::int64_t line_free_us_ = 0;  // When the line of `rate` has sent what left before.
  std::uint64_t passed_ = 0;
};

}  // namespace qylon::chaosproxy
