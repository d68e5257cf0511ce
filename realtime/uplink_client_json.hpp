#pragma once
/// The JSON of an uplink as its client speaks it: docs/PROTOCOL.md, "Uplink".

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "media/ingress.hpp"

namespace qylon::realtime {

/// One message of the server. Which members mean something depends on the kind.
struct UplinkReply {
  enum class Kind : std::uint8_t { kWelcome, kAck, kError, kOther };
  Kind kind = Kind::kOther;
  std::uint64_t next_seq = 0;            ///< kWelcome, kAck: every seq below is settled.
  std::optional<std::uint64_t> durable;  ///< kAck: every seq below is on disk; nothing: no disk.
  std::optional<int> close;              ///< kError: the close code that follows.
  std::int64_t retry_after_ms = 0;       ///< kError, [0, 600'000].
  std::string code;                      ///< kError.
  std::string message;                   ///< kError, at most 500 bytes.
};

std::string print_uplink_hello(const media::UplinkHello& hello);

/// Reads what concerns `track`; a message about other tracks, or of an unknown type, is kOther.
/// Errors: kInvalidArgument when it is not a message of the protocol.
Result<UplinkReply> parse_uplink_reply(std::string_view text, TrackId track);

}  // namespace qylon::realtime
