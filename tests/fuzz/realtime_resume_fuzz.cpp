/// A subscriber that comes and goes while finals are published, lost in mailboxes, stored late and
/// read from a database that fails: it never sees a gap or a final twice, and has all in the end.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/check.hpp"
#include "realtime/subscribe_session.hpp"
#include "tests/support/fake_session_port.hpp"

namespace {

namespace realtime = qylon::realtime;

class ResumeGame {
 public:
  void play(std::uint8_t operation, std::uint8_t argument) {
    switch (operation % 10) {
      case 0:
      case 1:
        world_.publish_final(++published_, argument % 4 == 0);
        break;
      case 2:
        store(argument % 8);
        break;
      case 3:
        world_.executor->run();
        break;
      case 4:
        world_.port.queued = std::size_t{argument} << 11;
        break;
      case 5:
        drained();
        break;
      case 6:
        tick(argument * 50);
        break;
      case 7:
        world_.history.failing = argument % 2 == 0;
        break;
      case 8:
        world_.fanout.finals_lost();
        break;
      default:
        reconnect();
        break;
    }
    look();
  }

  void finish() {
    world_.history.failing = false;
    store(published_);
    world_.fanout.finals_lost();
    for (int i = 0; i < 200 && seen_ < published_; ++i) {
      if (session_ == nullptr || world_.port.closed != 0) reconnect();
      drained();
      tick(1000);
      world_.executor->run();
      look();
    }
    QYLON_CHECK(seen_ == published_);
  }

 private:
  void store(std::uint64_t count) {
    for (; count > 0 && stored_ < published_; --count)
      world_.history.add(qylon::test::final_json(++stored_));
  }
  void drained() {
    world_.port.queued = 0;
    if (session_ != nullptr) session_->on_drained();
  }
  void tick(std::int64_t ms) {
    world_.clock.advance_ms(ms);
    if (session_ != nullptr) session_->on_tick();
  }
  void reconnect() {
    session_.reset();
    look();
    world_.port.closed = 0;
    session_ = std::make_shared<realtime::SubscribeSession>(
        world_.port, world_.parts, realtime::SessionPeer{"", true}, world_.executor);
    std::string from;
    if (seen_ > 0) {
      from = R"(,"from":{"epoch":")" + world_.history.epoch.to_string() + R"(","offset":)" +
             std::to_string(seen_) + "}";
    }
    session_->on_text(R"({"type":"subscribe","topics":["meeting/)" +
                      world_.history.meeting.to_string() + R"(/captions"])" + from + "}");
  }
  void look() {
    for (const std::string& text : world_.port.take()) {
      const std::size_t at = text.find(R"("final":true,"offset":)");
      if (at == std::string::npos) continue;
      std::uint64_t offset = 0;
      const char* const number = text.data() + at + 22;
      std::from_chars(number, text.data() + text.size(), offset);
      QYLON_CHECK(offset == seen_ + 1);
      QYLON_CHECK(offset <= published_);
      seen_ = offset;
    }
  }

  qylon::test::SessionWorld world_;
  std::shared_ptr<realtime::SubscribeSession> session_;
  std::uint64_t published_ = 0;
  std::uint64_t stored_ = 0;
  std::uint64_t seen_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ResumeGame game;
  for (std::size_t i = 0; i + 1 < size && i < 2000; i += 2)
    game.play(data[i], data[i + 1]);
  game.finish();
  return 0;
}
