#pragma once
/// What libwebsockets parsed of a request, as plain strings.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/http.hpp"
#include "realtime/http_response.hpp"
#include "realtime/request_rules.hpp"

struct lws;

namespace qylon::realtime {

/// Threads: inside a callback of `wsi` that comes before its headers are freed.
RequestHead read_request_head(lws* wsi);
/// The request as handlers see it, without body and peer. HEAD is GET; the edge leaves the body
/// out.
HttpRequest read_request(lws* wsi, const RequestHead& head);
/// Names and values of the query, decoded, in order; only what is valid UTF-8 without NUL.
std::vector<std::pair<std::string, std::string>> read_query(lws* wsi);
std::string read_content_type(lws* wsi);
bool expects_continue(lws* wsi);
/// Range and If-Range of a GET.
void read_range(lws* wsi, ResponseOptions& options);

}  // namespace qylon::realtime
