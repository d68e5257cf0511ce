#pragma once
/// A mail server on loopback that answers as a test says, one connection after the other.

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/check.hpp"
#include "core/sync.hpp"
#include "core/unique_fd.hpp"

namespace qylon::test {

class SmtpStandin {
 public:
  /// What stands for the line of a client that has just come.
  static constexpr const char* kConnected = "(connected)";
  /// From a line of the client (without its end) and the number of the connection, from 1, to the
  /// line to answer; "": says nothing.
  using Answer = std::function<std::string(const std::string& line, int connection)>;

  explicit SmtpStandin(Answer answer) : answer_(std::move(answer)) {
    listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const where = reinterpret_cast<sockaddr*>(&address);
    QYLON_CHECK(::bind(listener_.get(), where, sizeof address) == 0);
    QYLON_CHECK(::listen(listener_.get(), 16) == 0);
    socklen_t size = sizeof address;
    QYLON_CHECK(::getsockname(listener_.get(), where, &size) == 0);
    url_ = "smtp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { accept_all(); });
  }
  ~SmtpStandin() {
    stop_ = true;
    thread_.join();
  }
  SmtpStandin(const SmtpStandin&) = delete;
  SmtpStandin& operator=(const SmtpStandin&) = delete;
  SmtpStandin(SmtpStandin&&) = delete;
  SmtpStandin& operator=(SmtpStandin&&) = delete;

  const std::string& url() const { return url_; }
  int connections() const { return connections_; }
  /// All that was said to it.
  std::vector<std::string> lines() const {
    const MutexLock lock(mutex_);
    return lines_;
  }

 private:
  void accept_all() {
    while (!stop_) {
      if (!readable(listener_.get())) continue;
      const UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (peer.get() >= 0) serve(peer.get(), ++connections_);
    }
  }
  static bool readable(int fd) {
    pollfd ready{fd, POLLIN, 0};
    return ::poll(&ready, 1, 10) > 0;
  }
  void say(int peer, const std::string& line, int connection) {
    std::string answer = answer_(line, connection);
    if (answer.empty()) return;
    answer += "\r\n";
    ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
  }
  void serve(int peer, int connection) {
    say(peer, kConnected, connection);
    std::string text;
    while (!stop_) {
      if (!readable(peer)) continue;
      char bytes[4096];
      const ssize_t got = ::recv(peer, bytes, sizeof bytes, 0);
      if (got <= 0) return;
      text.append(bytes, static_cast<std::size_t>(got));
      for (auto end = text.find("\r\n"); end != text.npos; end = text.find("\r\n")) {
        const std::string line = text.substr(0, end);
        text.erase(0, end + 2);
        {
          const MutexLock lock(mutex_);
          lines_.push_back(line);
        }
        say(peer, line, connection);
      }
    }
  }

  const Answer answer_;  // Constant after construction, like the next two.
  UniqueFd listener_;
  std::string url_;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> stop_ = false;
  mutable Mutex mutex_;
  std::vector<std::string> lines_ QYLON_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace qylon::test
