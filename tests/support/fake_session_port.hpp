#pragma once
/// A connection that only remembers, and everything a session needs around it.

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "realtime/fanout.hpp"
#include "realtime/session.hpp"
#include "tests/support/edge_doubles.hpp"
#include "tests/support/fake_clock.hpp"

namespace qylon::test {

/// The payload of a server's text frame.
inline std::string payload_of(const std::string& frame) {
  const int marker = static_cast<unsigned char>(frame[1]);
  return frame.substr(marker == 127 ? 10 : marker == 126 ? 4 : 2);
}

class FakeSessionPort final : public realtime::SessionPort {
 public:
  void send(realtime::Frame frame) override { sent.push_back(payload_of(*frame)); }
  void send(const realtime::Delivery& delivery) override {
    sent.push_back(payload_of(*delivery.frame));
  }
  std::size_t queued_bytes() const noexcept override { return queued; }
  void pause_receiving(bool value) override { paused = value; }
  void close(int code) override { closed = code; }

  std::vector<std::string> take() { return std::exchange(sent, {}); }

  std::vector<std::string> sent;
  std::size_t queued = 0;  ///< What the test says is waiting.
  bool paused = false;
  int closed = 0;
};

/// Runs tasks when the test says so.
class ManualExecutor final : public realtime::NetExecutor {
 public:
  bool post(Task task) override {
    tasks_.push_back(std::move(task));
    return true;
  }
  void run() {
    while (!tasks_.empty()) {
      const Task task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }

 private:
  std::deque<Task> tasks_;
};

struct SessionWorld {
  FakeClock clock;
  TestAccess access;
  TestIngress ingress;
  TestHistory history;
  TestGate gate;
  Counters registry;
  realtime::EdgeCounters counters{registry};
  realtime::MeetingRings rings{realtime::MeetingRings::Options{}};
  realtime::Fanout fanout;
  Jitter jitter{1};
  realtime::SessionParts
      parts{clock, access, ingress, history, rings, fanout, counters, jitter, gate};
  std::shared_ptr<ManualExecutor> executor = std::make_shared<ManualExecutor>();
  FakeSessionPort port;

  SessionWorld() { ingress.meeting = history.meeting; }

  /// As the hub does: into the ring, then to this thread's subscribers unless the mailbox lost it.
  void publish_final(std::uint64_t offset, bool lost = false) {
    publish(realtime::Topic::kCaptions, final_json(offset), offset, offset, lost);
  }
  void publish(realtime::Topic topic,
               const std::string& json,
               std::optional<std::uint64_t> offset,
               std::uint64_t key,
               bool lost = false) {
    const auto delivery = rings.add(
        {history.meeting, history.epoch, topic, realtime::make_text_frame(json), offset, key, 0});
    if (!lost) fanout.deliver(*delivery);
  }
};

}  // namespace qylon::test
