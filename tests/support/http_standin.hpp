#pragma once
/// An HTTP server on loopback that answers as a test says, each connection on a thread of its own.

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>

#include "core/sync.hpp"
#include "tests/support/loopback.hpp"

namespace qylon::test {

class HttpStandin {
 public:
  /// From a whole request (its head and a body of Content-Length) and its number, from 1, to the
  /// whole answer; nothing: never answers.
  using Answer = std::function<std::optional<std::string>(const std::string& request, int number)>;

  explicit HttpStandin(Answer answer) : answer_(std::move(answer)) {
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~HttpStandin() {
    stop_ = true;
    acceptor_.join();
    for (std::thread& thread : threads_)
      thread.join();
  }
  HttpStandin(const HttpStandin&) = delete;
  HttpStandin& operator=(const HttpStandin&) = delete;
  HttpStandin(HttpStandin&&) = delete;
  HttpStandin& operator=(HttpStandin&&) = delete;

  std::string authority() const { return listener_.authority(); }
  std::string url(const std::string& path = "/") const { return "http://" + authority() + path; }
  int requests() const { return requests_; }

  static std::string answer(int status, const std::string& body, const std::string& headers = "") {
    return "HTTP/1.1 " + std::to_string(status) + " Scripted\r\nConnection: close\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

 private:
  void accept_all() {
    while (!stop_) {
      UniqueFd peer = listener_.accept(kWaitMs);
      if (peer) threads_.emplace_back([this, peer = std::move(peer)] { serve(peer); });
    }
  }

  void serve(const UniqueFd& peer) {
    const std::string request = read_request(peer.get());
    if (request.empty()) return;
    const auto answer = answer_(request, ++requests_);
    while (!answer && !stop_ && !readable(peer.get(), kWaitMs)) {  // Readable: the client has gone.
    }
    if (answer) ::send(peer.get(), answer->data(), answer->size(), MSG_NOSIGNAL);
  }

  std::string read_request(int peer) const {
    std::string request;
    while (!stop_) {
      const std::size_t head = request.find("\r\n\r\n");
      const std::size_t length = request.find("Content-Length: ");
      if (head != std::string::npos) {
        const std::size_t body = length < head ? std::stoul(request.substr(length + 16)) : 0;
        if (request.size() >= head + 4 + body) return request;
      }
      if (!readable(peer, kWaitMs)) continue;
      char buffer[16384];
      const ssize_t got = ::recv(peer, buffer, sizeof buffer, 0);
      if (got <= 0) return {};
      request.append(buffer, static_cast<std::size_t>(got));
    }
    return {};
  }

  static constexpr int kWaitMs = 10;

  const Answer answer_;
  const LoopbackListener listener_;
  std::atomic<bool> stop_{false};
  std::atomic<int> requests_{0};
  std::vector<std::thread> threads_;  // Of the acceptor, then of the destructor.
  std::thread acceptor_;
};

}  // namespace qylon::test
