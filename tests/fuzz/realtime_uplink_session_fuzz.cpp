/// An uplink that sends anything: text and binary messages are cut out of the input by a length
/// byte, and other bytes turn the clock or the shard's mood. Nothing may abort, nothing is said
/// after the close.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/check.hpp"
#include "realtime/uplink_session.hpp"
#include "tests/support/fake_session_port.hpp"

namespace {

namespace realtime = qylon::realtime;
using Posted = qylon::media::TrackUplink::Posted;

class UplinkGame {
 public:
  UplinkGame() {
    session_ = std::make_shared<realtime::UplinkSession>(
        world_.port, world_.parts, realtime::SessionPeer{"", false}, world_.executor);
  }
  void hello() {
    session_->on_text(R"({"type":"hello","meeting":")" + world_.history.meeting.to_string() +
                      R"(","clock":{"id":"11111111-2222-4333-8444-555555555555"},"tracks":[)"
                      R"({"track":0,"codec":"opus","sample_rate_hz":48000,"channels":1}]})");
  }
  void play(std::uint8_t operation, std::span<const std::uint8_t> bytes) {
    const bool was_closed = world_.port.closed != 0;
    world_.port.take();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (operation % 8 == 0) hello();
    if (operation % 8 == 1) session_->on_text(text);
    if (operation % 8 == 2) session_->on_binary(bytes);
    if (operation % 8 == 3) world_.executor->run();
    if (operation % 8 == 4) world_.clock.advance_ms(static_cast<std::int64_t>(bytes.size()) * 10);
    if (operation % 8 == 5) session_->on_tick();
    if (operation % 8 == 6) session_->on_fast_tick();
    if (operation % 8 == 7) mood(operation / 8);
    QYLON_CHECK(!was_closed || world_.port.sent.empty());
    QYLON_CHECK(!session_->wants_fast_tick() || world_.port.paused);
  }

 private:
  void mood(unsigned which) {
    const auto track = world_.ingress.track(0);
    if (track != nullptr) track->answer = which % 2 == 0 ? Posted::kBusy : Posted::kAccepted;
  }

  qylon::test::SessionWorld world_;
  std::shared_ptr<realtime::UplinkSession> session_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  UplinkGame game;
  std::span<const std::uint8_t> input(data, std::min<std::size_t>(size, 8192));
  while (input.size() >= 2) {
    const std::uint8_t operation = input[0];
    const std::size_t length = std::min<std::size_t>(input[1], input.size() - 2);
    game.play(operation, input.subspan(2, length));
    input = input.subspan(2 + length);
  }
  return 0;
}
