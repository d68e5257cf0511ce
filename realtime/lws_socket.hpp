#pragma once
/// A connection's bytes, as libwebsockets holds them.

#include <string_view>

struct lws;

namespace qylon::realtime {

/// Sends `bytes` as they are, on HTTP and WebSocket connections alike; what the socket does not
/// take now, libwebsockets keeps. Negative when the connection broke.
int write_bytes(lws* wsi, std::string_view bytes);

/// True when libwebsockets may hold input of a connection of this thread.
bool input_may_be_buffered(lws* wsi);
/// True when input waits in the socket or, as far as it can be told, in libwebsockets.
/// REQUIRES: receiving is not paused.
bool has_unread_input(lws* wsi);

}  // namespace qylon::realtime
