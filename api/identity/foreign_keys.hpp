#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "api/core/outbound.hpp"
#include "api/identity/key_ring.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"

namespace qylon::api {

/// Another issuer's public keys, read from where it publishes them: at once, again when they are
/// ten minutes old, and when a token was refused, because it may name a key that is new. Reads are
/// 30 s apart at least, whatever strangers show. What cannot be read leaves the keys as they are.
///
/// Threads : freshen() from any thread, never blocks. Destroyed after the last freshen().
class ForeignKeys {
 public:
  static constexpr std::int64_t kFreshUs = 600'000'000;
  static constexpr std::int64_t kApartUs = 30'000'000;

  struct Options {
    std::string issuer;
    std::string url;  ///< Of a JWK set; the operator's word, so its host may be private.
  };
  /// All must outlive this object.
  struct Parts {
    KeyRing& keys;
    const Clock& clock;
    const Log& log;
    Counters& counters;
  };

  /// REQUIRES: parse_outbound_url() takes the URL; KeyRing::refresh() was called.
  ForeignKeys(Options options, const Parts& parts);

  /// Somebody shows a token; `refused`: for which there is no key, or that is wrong.
  void freshen(bool refused);

 private:
  void take(const Result<OutboundAnswer>& answer);
  Status trust(const Result<OutboundAnswer>& answer);

  const Options options_;  // Constant after construction, like the next one.
  const Parts parts_;
  std::atomic<std::int64_t> asked_us_;
  std::atomic<std::int64_t> read_us_;
  Outbound outbound_;  // Last: its thread uses the others.
};

}  // namespace qylon::api
