#pragma once

#include <cstdint>
#include <string_view>

#include "core/result.hpp"

namespace qylon::chaosproxy {

/// What the network does to one direction of every connection.
struct Weather {
  std::int64_t latency_ms = 0;  ///< Added to every byte, 0..600'000.
  std::int64_t jitter_ms = 0;   ///< At most this much more, uniformly; bytes keep their order.
  std::int64_t rate_bps = 0;    ///< Bits a second; 0: no limit.
  std::int64_t cut_after = 0;   ///< Bytes after which the connection is reset; 0: never.

  bool operator==(const Weather&) const = default;
};

/// Reads `latency=50 jitter=20 rate=64000 cut=100000`, any of them in any order, onto `base`.
/// Errors: kInvalidArgument naming the word and what would be right.
Result<Weather> parse_weather(std::string_view text, const Weather& base);

}  // namespace qylon::chaosproxy
