/// A server that says anything at any time: texts are cut out of the input at zero bytes, and their
/// first byte says what else happens. Nothing may abort, and what is kept stays bounded.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "core/check.hpp"
#include "realtime/uplink_client.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_connector.hpp"

namespace {

using qylon::realtime::UplinkClient;

class Session {
 public:
  Session() {
    UplinkClient::Options options;
    options.url = "ws://server/v1/uplink";
    options.kept_ms_max = 60'000;
    client_ = *UplinkClient::create(std::move(options), connector_, clock_);
    client_->step();
  }

  void play(std::string_view event) {
    if (connector_.peers.empty() || event.empty()) return;
    auto& events = connector_.peers.back()->events;
    const bool open = !connector_.peers.back()->destroyed;
    const auto kind = static_cast<std::uint8_t>(event.front()) % 8;
    const std::string_view rest = event.substr(1);
    if (kind == 0 && open) events.on_open();
    if (kind == 1 && open) events.on_close(3995 + static_cast<int>(rest.size()) * 4, rest);
    if (kind == 2) clock_.advance_ms(static_cast<std::int64_t>(rest.size()) * 1000);
    if (kind == 3) offer(rest.size() * 100);
    if (kind == 4 && rest.size() > 20) finish();
    if (kind >= 5 && open) events.on_text(rest);
    client_->step();
    const auto progress = client_->progress();
    QYLON_CHECK(progress.acknowledged_ms <= progress.offered_ms);
    QYLON_CHECK(progress.offered_ms - progress.durable_ms <= 60'000);
  }

 private:
  void offer(std::size_t count) {
    constexpr std::array<std::uint8_t, 3> kPacket = {1, 2, 3};
    for (std::size_t i = 0; i < std::min<std::size_t>(count, 5000) && !finished_; ++i) {
      client_->offer({kPacket, capture_us_, 20'000});
      capture_us_ += 20'000;
    }
  }
  void finish() {
    client_->finish();
    finished_ = true;
  }

  qylon::test::FakeClock clock_;
  qylon::test::FakeConnector connector_;
  std::unique_ptr<UplinkClient> client_;
  std::uint64_t capture_us_ = 0;
  bool finished_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Session session;
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\0'), input.size());
    session.play(input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  return 0;
}
