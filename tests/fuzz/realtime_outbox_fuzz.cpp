/// The outbox against a plain list: the same frames, in the same order, after any schedule.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "realtime/outbox.hpp"

namespace {

namespace realtime = qylon::realtime;

struct Waiting {
  std::string text;
  std::uint64_t interim_key = 0;  // 0: not an interim.
};

class OutboxGame {
 public:
  void play(std::uint8_t operation, std::uint8_t argument) {
    const std::uint64_t key = argument % 5 + 1U;
    const std::string text(argument % 40 + 1U, static_cast<char>('a' + count_++ % 26));
    if (operation % 4 == 0) push_final(text, key);
    if (operation % 4 == 1) push_interim(text, key);
    if (operation % 4 == 2) push_plain(text);
    if (operation % 4 == 3) take(argument);
    std::size_t bytes = 0;
    for (const Waiting& waiting : model_)
      bytes += waiting.text.size();
    QYLON_CHECK(outbox_.bytes() == bytes);
    QYLON_CHECK(outbox_.empty() == model_.empty());
  }

 private:
  static realtime::Frame frame(const std::string& text) {
    return std::make_shared<const std::string>(text);
  }
  void push_plain(const std::string& text) {
    if (outbox_.push(frame(text), 0) == realtime::Outbox::Pushed::kQueued)
      model_.push_back({text, 0});
  }
  void push_final(const std::string& text, std::uint64_t key) {
    const auto pushed =
        outbox_.push({{}, {}, realtime::Topic::kCaptions, frame(text), 1, key, 0}, 0);
    // The interim goes even when the final does not fit: the reader is closed then.
    model_.erase(
        std::remove_if(
            model_.begin(), model_.end(), [key](const Waiting& w) { return w.interim_key == key; }),
        model_.end());
    if (pushed == realtime::Outbox::Pushed::kQueued) model_.push_back({text, 0});
  }
  void push_interim(const std::string& text, std::uint64_t key) {
    const auto pushed =
        outbox_.push({{}, {}, realtime::Topic::kCaptions, frame(text), std::nullopt, key, 0}, 0);
    const auto found = std::find_if(
        model_.begin(), model_.end(), [key](const Waiting& w) { return w.interim_key == key; });
    if (found != model_.end()) {
      QYLON_CHECK(pushed != realtime::Outbox::Pushed::kQueued);
      found->text = text;
    } else if (pushed == realtime::Outbox::Pushed::kQueued) {
      model_.push_back({text, key});
    }
  }
  void take(std::size_t bytes_max) {
    std::string got;
    outbox_.take(bytes_max, got);
    std::string expected;
    while (!model_.empty() &&
           (expected.empty() || expected.size() + model_.front().text.size() <= bytes_max)) {
      expected += model_.front().text;
      model_.erase(model_.begin());
    }
    QYLON_CHECK(got == expected);
  }

  realtime::Outbox outbox_{{200, 600, 1'000'000}};
  std::vector<Waiting> model_;
  unsigned count_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  OutboxGame game;
  for (std::size_t i = 0; i + 1 < size && i < 4000; i += 2)
    game.play(data[i], data[i + 1]);
  return 0;
}
