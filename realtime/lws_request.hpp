#pragma once
/// What libwebsockets parsed of a request, as plain strings.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "realtime/request_rules.hpp"

struct lws;

namespace qylon::realtime {

/// Threads: inside a callback of `wsi` that comes before its headers are freed.
RequestHead read_request_head(lws* wsi);
/// Names and values of the query, decoded, in order; only what is valid UTF-8 without NUL.
std::vector<std::pair<std::string, std::string>> read_query(lws* wsi);
std::string read_content_type(lws* wsi);
bool expects_continue(lws* wsi);

}  // namespace qylon::realtime
