#pragma once
/// What libwebsockets parsed of a request, as plain strings.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/http.hpp"
#include "realtime/http_response.hpp"
#include "realtime/ingest_request.hpp"
#include "realtime/request_rules.hpp"

struct lws;

namespace qylon::realtime {

/// Threads: inside a callback of `wsi` that comes before its headers are freed.
RequestHead read_request_head(lws* wsi);
/// The request as handlers see it, without body and peer. HEAD is GET; the edge leaves the body
/// out.
HttpRequest read_request(lws* wsi, const RequestHead& head);
/// The head of an upload, which begins with `head`.
UploadHead read_upload_head(lws* wsi, const RequestHead& head);
bool expects_continue(lws* wsi);
/// Range and If-Range of a GET.
void read_range(lws* wsi, ResponseOptions& options);

}  // namespace qylon::realtime
