#pragma once
/// A TCP client that sends exactly the bytes it is told to, for requests no real client would make.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>

#include "tests/support/loopback.hpp"

namespace qylon::test {

class RawSocket {
 public:
  explicit RawSocket(int port) : socket_(connect_to_loopback(port)) {}

  bool connected() const { return static_cast<bool>(socket_); }
  int fd() const { return socket_.get(); }
  bool closed() const { return closed_; }
  /// Everything received so far and not yet taken.
  const std::string& received() const { return received_; }
  void forget(std::size_t bytes) { received_.erase(0, bytes); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// Reads once; false when nothing came in `timeout_ms` or the peer has closed.
  bool read_some(int timeout_ms) {
    if (!readable(fd(), timeout_ms)) return false;
    char buffer[65536];
    const ssize_t got = ::recv(fd(), buffer, sizeof(buffer), 0);
    if (got <= 0) {
      closed_ = true;
      return false;
    }
    received_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  /// Reads until the peer closes or `timeout_ms` without a byte passes, and returns it all.
  std::string read_all(int timeout_ms = 3000) {
    while (read_some(timeout_ms)) {
    }
    return std::exchange(received_, {});
  }

  /// Reads until `text` was received; false after `timeout_ms` without a byte, or at the end.
  bool read_until(std::string_view text, int timeout_ms = 5000) {
    while (received_.find(text) == std::string::npos) {
      if (!read_some(timeout_ms)) return false;
    }
    return true;
  }

 private:
  UniqueFd socket_;
  bool closed_ = false;
  std::string received_;
};

/// One masked client frame. `announced_bytes` overrides the length field alone.
inline std::string client_frame(int opcode,
                                std::string_view payload,
                                bool is_final = true,
                                std::uint64_t announced_bytes = UINT64_MAX) {
  const std::uint64_t length = announced_bytes == UINT64_MAX ? payload.size() : announced_bytes;
  std::string frame;
  frame.push_back(static_cast<char>((is_final ? 0x80 : 0) | opcode));
  const int bytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
  const int first = bytes == 0 ? static_cast<int>(length) : bytes == 2 ? 126 : 127;
  frame.push_back(static_cast<char>(0x80 | first));
  for (int i = bytes - 1; i >= 0; --i)
    frame.push_back(static_cast<char>((length >> (8 * i)) & 0xFF));
  const std::string_view mask("\x11\x22\x33\x44", 4);
  frame.append(mask);
  for (std::size_t i = 0; i < payload.size(); ++i)
    frame.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
  return frame;
}

struct ServerFrame {
  int opcode = -1;  ///< -1: none came.
  std::string payload;

  /// Close code of a close frame, else 0.
  int close_code() const {
    if (opcode != 8 || payload.size() < 2) return 0;
    return static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
  }
};

/// The next unmasked server frame.
inline ServerFrame read_frame(RawSocket& socket, int timeout_ms = 5000) {
  const auto need = [&](std::size_t bytes) {
    while (socket.received().size() < bytes) {
      if (!socket.read_some(timeout_ms)) return false;
    }
    return true;
  };
  if (!need(2)) return {};
  const int opcode = socket.received()[0] & 0x0F;
  std::size_t length = static_cast<unsigned char>(socket.received()[1]) & 0x7F;
  std::size_t header = 2;
  if (length >= 126) {
    header = length == 126 ? 4 : 10;
    if (!need(header)) return {};
    length = 0;
    for (std::size_t i = 2; i < header; ++i)
      length = length * 256 + static_cast<unsigned char>(socket.received()[i]);
  }
  if (!need(header + length)) return {};
  ServerFrame frame{opcode, socket.received().substr(header, length)};
  socket.forget(header + length);
  return frame;
}

}  // namespace qylon::test
