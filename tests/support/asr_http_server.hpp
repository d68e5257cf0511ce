#pragma once
/// A transcription server that misbehaves on demand: one thread, one request at a time.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>

#include "core/sync.hpp"
#include "tests/support/loopback.hpp"

namespace qylon::test {

class ScriptedHttpServer {
 public:
  struct Step {
    int status = 200;
    std::string body = R"({"text":""})";
    bool late = false;              ///< Never answers; the client has to give up.
    bool slow = false;              ///< One byte at a time.
    std::size_t cut_at = SIZE_MAX;  ///< Closes after this many bytes of the answer.
  };

  /// Requests get `steps` in order; the last one again and again.
  explicit ScriptedHttpServer(std::vector<Step> steps) : steps_(std::move(steps)) {
    thread_ = std::thread([this] { run(); });
  }
  ~ScriptedHttpServer() {
    stop_ = true;
    thread_.join();
  }
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer& operator=(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer(ScriptedHttpServer&&) = delete;
  ScriptedHttpServer& operator=(ScriptedHttpServer&&) = delete;

  std::string base_url() const { return "http://" + listener_.authority() + "/v1"; }
  /// Whole requests so far, headers and body.
  std::vector<std::string> requests() const QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return requests_;
  }

 private:
  void run() {
    while (!stop_) {
      const UniqueFd peer = listener_.accept(kWaitMs);
      if (peer) serve(peer.get());
    }
  }

  void serve(int peer) QYLON_EXCLUDES(mutex_) {
    const std::string request = read_request(peer);
    if (request.empty()) return;
    Step step;
    {
      const MutexLock lock(mutex_);
      step = steps_[std::min(requests_.size(), steps_.size() - 1)];
      requests_.push_back(request);
    }
    if (step.late) {
      while (!stop_ && !readable(peer, kWaitMs)) {  // Readable: the client has gone.
      }
      return;
    }
    std::string answer = "HTTP/1.1 " + std::to_string(step.status) +
                         " Scripted\r\nContent-Type: application/json\r\nConnection: close\r\n"
                         "Content-Length: " +
                         std::to_string(step.body.size()) + "\r\n\r\n" + step.body;
    answer.resize(std::min(answer.size(), step.cut_at));
    const std::size_t piece = step.slow ? 1 : answer.size();
    for (std::size_t at = 0; at < answer.size(); at += piece)
      ::send(peer, answer.data() + at, std::min(piece, answer.size() - at), MSG_NOSIGNAL);
  }

  std::string read_request(int peer) const {
    std::string request;
    std::size_t wanted = SIZE_MAX;
    while (!stop_ && request.size() < wanted) {
      if (!readable(peer, kWaitMs)) continue;
      char buffer[65536];
      const ssize_t got = ::recv(peer, buffer, sizeof buffer, 0);
      if (got <= 0) return {};
      request.append(buffer, static_cast<std::size_t>(got));
      const std::size_t body = request.find("\r\n\r\n");
      const std::size_t length = request.find("Content-Length: ");
      if (wanted == SIZE_MAX && body != std::string::npos && length < body)
        wanted = body + 4 + std::stoul(request.substr(length + 16));
    }
    return request;
  }

  static constexpr int kWaitMs = 20;

  const std::vector<Step> steps_;
  const LoopbackListener listener_;
  std::atomic<bool> stop_{false};
  mutable Mutex mutex_;
  std::vector<std::string> requests_ QYLON_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace qylon::test
