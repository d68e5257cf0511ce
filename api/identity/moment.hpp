#pragma once
/// The time at which something is decided, the same for tokens, limits and PostgreSQL's rows.

#include <cstdint>
#include <string>

#include "core/clock.hpp"

namespace qylon::api {

struct Moment {
  std::int64_t wall_us = 0;

  static Moment now(const Clock& clock) { return {clock.wall_us()}; }
  std::int64_t seconds() const noexcept { return wall_us / 1'000'000; }
  /// For to_timestamp($n::float8).
  std::string sql() const {
    const std::string micros = std::to_string(wall_us % 1'000'000);
    return std::to_string(seconds()) + "." + std::string(6 - micros.size(), '0') + micros;
  }
};

}  // namespace qylon::api
