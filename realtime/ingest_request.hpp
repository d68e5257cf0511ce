#pragma once
/// What a request to /v1/ingest/{meeting} asks for.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/ids.hpp"
#include "media/ingress.hpp"
#include "realtime/request_rules.hpp"

namespace qylon::realtime {

struct IngestRequest {
  std::optional<MeetingId> meeting;  ///< Nothing: a new meeting.
  std::string title;                 ///< Of a new meeting.
  media::TrackHello track;
};

/// What an upload is asked for with.
struct UploadHead {
  RequestHead request;
  std::vector<std::pair<std::string, std::string>> query;  ///< Decoded, in order.
  std::string content_type;
  bool expects_continue = false;
};

bool is_ingest_path(std::string_view path) noexcept;

/// Reads path, query and Content-Type. The codec is the query's, else what the Content-Type names,
/// else "auto": the first bytes say it.
/// Refuses with 400, 404 and 415. REQUIRES: is_ingest_path(head.request.path).
std::variant<IngestRequest, HttpRefusal> read_ingest_request(const UploadHead& head);

/// The access token of a Bearer header, or the password of a Basic one (RFC 7617), because source
/// clients know no other; else empty.
std::string ingest_token(const std::optional<std::string>& authorization);

}  // namespace qylon::realtime
