#include "realtime/lws_socket.hpp"

#include <libwebsockets.h>
#include <sys/socket.h>

namespace qylon::realtime {

// libwebsockets takes mutable bytes because it writes frame headers in front of them. With
// LWS_WRITE_HTTP it does not, which lets one immutable frame go to every subscriber and many frames
// go in one write.
int write_bytes(lws* wsi, std::string_view bytes) {
  void* const data = const_cast<char*>(bytes.data());  // NOLINT: not written to, see above.
  return lws_write(wsi, static_cast<unsigned char*>(data), bytes.size(), LWS_WRITE_HTTP);
}

// libwebsockets 4.1.6 loops for ever over a request with a body that was sent before the answer to
// the request ahead of it, because it takes the buffered header for the body. It does not say whose
// input is buffered; in doubt the connection is closed unanswered, as a server may do with any
// connection that was kept alive, and clients then use a fresh one.
bool input_may_be_buffered(lws* wsi) {
  return lws_service_adjust_timeout(lws_get_context(wsi), 1, 0) == 0;
}

bool has_unread_input(lws* wsi) {
  char byte = 0;
  if (::recv(lws_get_socket_fd(wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) return true;
  if (!input_may_be_buffered(wsi)) return false;
  lws_rx_flow_control(wsi, 0);  // Only connections that are not paused count.
  const bool is_anothers = input_may_be_buffered(wsi);
  lws_rx_flow_control(wsi, 1);
  return !is_anothers;
}

}  // namespace qylon::realtime
