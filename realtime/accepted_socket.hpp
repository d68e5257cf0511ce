#pragma once
/// A socket between the acceptor and the net thread that takes it over.

#include <utility>

#include <unistd.h>

#include "realtime/newcomers.hpp"

namespace qylon::realtime {

/// Closes the socket unless it was handed on.
class AcceptedSocket {
 public:
  AcceptedSocket(int fd, Newcomers::Place place) : fd_(fd), place_(std::move(place)) {}
  ~AcceptedSocket() {
    if (fd_ >= 0) ::close(fd_);
  }
  AcceptedSocket(const AcceptedSocket&) = delete;
  AcceptedSocket& operator=(const AcceptedSocket&) = delete;
  AcceptedSocket(AcceptedSocket&&) = delete;
  AcceptedSocket& operator=(AcceptedSocket&&) = delete;
  int release() { return std::exchange(fd_, -1); }
  Newcomers::Place take_place() { return std::move(place_); }

 private:
  int fd_;
  Newcomers::Place place_;
};

}  // namespace qylon::realtime
