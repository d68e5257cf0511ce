#pragma once
/// The few socket calls that server, zygote and worker share.

#include <string_view>
#include <utility>

#include "core/result.hpp"

namespace qylon::models {

/// Owns a descriptor. Move only; closes on destruction.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  ~UniqueFd() { reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;

  int value() const noexcept { return fd_; }
  bool valid() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

/// Two connected Unix sockets of `type` (SOCK_STREAM or SOCK_SEQPACKET), both close-on-exec.
Result<std::pair<UniqueFd, UniqueFd>> socket_pair(int type);

/// Writes everything, waiting when the socket is full. False when the peer is gone.
bool write_all(int fd, std::string_view bytes);

/// One message with at most one descriptor attached (-1: none). False when the peer is gone.
bool send_message(int fd, std::string_view bytes, int attached_fd = -1);

}  // namespace qylon::models
