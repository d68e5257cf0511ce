// The first byte chooses the format, then steps: a packet with its length, a loss, a pause, a
// flush. The clock of the blocks is the sum of all durations, whatever the bytes are.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/check.hpp"
#include "media/stream_graph.hpp"

namespace {

using qylon::media::AudioFormat;
using qylon::media::Block;
using qylon::media::Codec;
using qylon::media::StreamGraph;

class GraphObserver final : public qylon::media::BlockSink {
 public:
  void on_block(const Block& block) noexcept override {
    QYLON_CHECK(block.start_sample == samples);
    QYLON_CHECK(block.speech_probability >= 0.0F && block.speech_probability <= 1.0F);
    QYLON_CHECK(std::ranges::all_of(block.samples, [](float x) { return std::isfinite(x); }));
    samples += qylon::media::kBlockSamples;
  }
  std::int64_t samples = 0;
};

constexpr std::array<AudioFormat, 4> kFormats = {{
    {Codec::kOpus, 48000, 1},
    {Codec::kPcmS16le, 16000, 1},
    {Codec::kPcmF32le, 44100, 2},
    {Codec::kPcmS16le, 8000, 2},
}};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = static_cast<bool>(StreamGraph::init_graphs());
  QYLON_CHECK(ready);
  if (size < 1) return 0;
  const AudioFormat format = kFormats[data[0] % kFormats.size()];
  GraphObserver observer;
  const auto graph = StreamGraph::create(format, observer);
  QYLON_CHECK(graph);
  std::int64_t told = 0;
  std::int64_t last = 320;
  int steps = 0;
  for (std::span<const std::uint8_t> rest(data + 1, size - 1); rest.size() >= 3; ++steps) {
    const int kind = rest[0] % 8;
    const std::size_t number = rest[1] * 256U + rest[2];
    rest = rest.subspan(3);
    if (kind == 0) {
      // What follows may be the packet that repeats the loss.
      (*graph)->conceal(static_cast<std::int64_t>(number % 4096), rest.first(rest.size() / 2));
      told += static_cast<std::int64_t>(number % 4096);
    } else if (kind == 1) {
      (*graph)->silence(static_cast<std::int64_t>(number % 4096));
      told += static_cast<std::int64_t>(number % 4096);
    } else if (kind == 2) {
      (*graph)->flush();
      told = observer.samples;
    } else {
      const auto packet = rest.first(std::min(rest.size(), number));
      rest = rest.subspan(packet.size());
      const std::int64_t before = (*graph)->packet_samples(packet);
      if ((*graph)->push(packet)) last = before;
      told += last;
    }
  }
  (*graph)->flush();
  // Every step may round by a sample, and the last block is padded.
  QYLON_CHECK(std::abs(observer.samples - told) <= 160 + 2 * steps);
  return 0;
}
