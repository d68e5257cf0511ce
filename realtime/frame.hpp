#pragma once
/// Server-to-client WebSocket frames, made once and shared by every connection that sends them.

#include <memory>
#include <string>
#include <string_view>

namespace qylon::realtime {

/// Immutable wire bytes of one whole frame, header included.
using Frame = std::shared_ptr<const std::string>;

/// Unmasked, unfragmented text frame. Source: RFC 6455 sections 5.2 and 5.6.
Frame make_text_frame(std::string_view payload);
/// Ping with a byte of payload, because libwebsockets 4.1.6 tells nobody of a pong without one.
/// Source: RFC 6455 sections 5.5.2 and 5.5.3 (a pong repeats the ping's payload).
Frame make_ping_frame();
/// Close with `code` and no reason. Source: RFC 6455 section 5.5.1.
Frame make_close_frame(int code);

}  // namespace qylon::realtime
