#pragma once
/// The few socket calls that server, zygote and worker share.

#include <string_view>
#include <utility>

#include "core/result.hpp"
#include "core/unique_fd.hpp"

namespace qylon {

/// Two connected Unix sockets of `type` (SOCK_STREAM or SOCK_SEQPACKET), both close-on-exec.
Result<std::pair<UniqueFd, UniqueFd>> socket_pair(int type);

/// Writes everything, waiting when the socket is full. False when the peer is gone.
bool write_all(int fd, std::string_view bytes);

/// One message with at most one descriptor attached (-1: none). False when the peer is gone.
bool send_message(int fd, std::string_view bytes, int attached_fd = -1);

}  // namespace qylon
