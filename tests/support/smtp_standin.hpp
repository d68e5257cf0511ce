#pragma once
/// A mail server on loopback that answers as a test says, one connection after the other.

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>

#include "core/sync.hpp"
#include "tests/support/loopback.hpp"

namespace qylon::test {

class SmtpStandin {
 public:
  /// What stands for the line of a client that has just come.
  static constexpr const char* kConnected = "(connected)";
  /// The answer that ends the connection.
  static constexpr const char* kHangUp = "(hang up)";
  /// From a line of the client (without its end) and the number of the connection, from 1, to the
  /// line to answer; "": says nothing.
  using Answer = std::function<std::string(const std::string& line, int connection)>;

  explicit SmtpStandin(Answer answer) : answer_(std::move(answer)) {
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

  std::string url() const { return "smtp://" + listener_.authority(); }
  int connections() const { return connections_; }
  /// All that was said to it.
  std::vector<std::string> lines() const {
    const MutexLock lock(mutex_);
    return lines_;
  }

 private:
  void accept_all() {
    while (!stop_) {
      const UniqueFd peer = listener_.accept(kWaitMs);
      if (peer) serve(peer.get(), ++connections_);
    }
  }
  void say(int peer, const std::string& line, int connection) {
    std::string answer = answer_(line, connection);
    if (answer.empty()) return;
    if (answer == kHangUp) {
      ::shutdown(peer, SHUT_RDWR);
      return;
    }
    answer += "\r\n";
    ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
  }
  void serve(int peer, int connection) {
    say(peer, kConnected, connection);
    std::string text;
    while (!stop_) {
      if (!readable(peer, kWaitMs)) continue;
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

  static constexpr int kWaitMs = 10;

  const Answer answer_;  // Constant after construction.
  const LoopbackListener listener_;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> stop_ = false;
  mutable Mutex mutex_;
  std::vector<std::string> lines_ QYLON_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace qylon::test
