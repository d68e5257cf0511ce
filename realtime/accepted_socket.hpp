#pragma once
/// A socket between the acceptor and the net thread that takes it over.

#include <utility>

#include <unistd.h>

namespace qylon::realtime {

/// Closes the socket unless it was handed on.
class AcceptedSocket {
 public:
  explicit AcceptedSocket(int fd) : fd_(fd) {}
  ~AcceptedSocket() {
    if (fd_ >= 0) ::close(fd_);
  }
  AcceptedSocket(const AcceptedSocket&) = delete;
  AcceptedSocket& operator=(const AcceptedSocket&) = delete;
  AcceptedSocket(AcceptedSocket&&) = delete;
  AcceptedSocket& operator=(AcceptedSocket&&) = delete;
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace qylon::realtime
