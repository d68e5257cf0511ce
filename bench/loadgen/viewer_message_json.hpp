#pragma once
/// The JSON of a subscription as its client speaks it (docs/PROTOCOL.md, "Subscribe"), and of the
/// transcript that the same meeting exports.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"

namespace qylon::loadgen {

/// Where a viewer is in a meeting's captions.
struct Position {
  std::string epoch;
  std::uint64_t offset = 0;
};

/// One message of the server. Which members mean something depends on the kind.
struct ViewerMessage {
  enum class Kind : std::uint8_t { kPosition, kFinal, kInterim, kError, kOther };
  Kind kind = Kind::kOther;
  Position position;                ///< kPosition; kFinal: its offset.
  bool recovered = false;           ///< kPosition.
  std::string text;                 ///< kFinal.
  std::uint64_t content = 0;        ///< kFinal: a hash of everything the caption says.
  std::int64_t end_ms = 0;          ///< kFinal, kInterim.
  int close = 0;                    ///< kError; 0: the connection goes on.
  std::int64_t retry_after_ms = 0;  ///< kError.
};

/// `from` is where to go on; absent: everything so far.
std::string print_subscribe(MeetingId meeting,
                            const std::optional<Position>& from,
                            const std::string& token);
/// Errors: kInvalidArgument when it is not a message of the protocol.
Result<ViewerMessage> parse_viewer_message(std::string_view text);

/// The finals of an exported transcript (`format=json`), in its order.
/// Errors: kInvalidArgument when it is not one.
Result<std::vector<ViewerMessage>> parse_transcript(std::string_view text);

}  // namespace qylon::loadgen
