#pragma once
/// The JSON of tickets and share links.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/meeting_gate.hpp"
#include "core/result.hpp"

namespace qylon::api {

/// What POST /api/tickets asks for: a verb in a meeting, or what a share link opens.
struct TicketRequest {
  MeetingId meeting;
  MeetingVerb verb = MeetingVerb::kSee;
  std::string share;  ///< The link's secret; when not empty the others say nothing.
};
/// Reads `{"meeting":"UUID","verb":"subscribe"|"uplink"}` or `{"share":"qys_..."}`.
/// Errors: kInvalidArgument that names the field and what it must be.
Result<TicketRequest> parse_ticket_request(std::string_view body);

inline constexpr std::int64_t kShareSecondsMin = 60;
inline constexpr std::int64_t kShareSecondsMax = 90LL * 24 * 3600;
/// Seconds. Reads `{"expires_in_s":86400}`, a minute to 90 days; without it a day.
Result<std::int64_t> parse_share_request(std::string_view body);

std::string ticket_to_json(std::string_view ticket, const MeetingPass& pass);

}  // namespace qylon::api
