// What the graph promises: after create() audio runs through it without an allocation. Counted are
// malloc and its kin, which operator new calls, and GLib's slices.

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "media/opus_encoder.hpp"
#include "media/stream_graph.hpp"
#include "tests/support/voice_signal.hpp"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {
thread_local std::size_t allocations = 0;
}

extern "C" {
// glibc's own names for what is replaced here.
void* __libc_malloc(std::size_t size);                     // NOLINT
void* __libc_calloc(std::size_t count, std::size_t size);  // NOLINT
void* __libc_realloc(void* memory, std::size_t size);      // NOLINT

void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}
void g_slice_free1(std::size_t size, void* memory);
void* g_slice_alloc(std::size_t size) {
  using Allocate = void* (*)(std::size_t);
  static const auto kNext = reinterpret_cast<Allocate>(dlsym(RTLD_NEXT, "g_slice_alloc"));
  ++allocations;
  return kNext(size);
}
}

namespace qylon::media {
namespace {

constexpr int kPackets = 500;  // Ten seconds.

class NoSink final : public BlockSink {
 public:
  void on_block(const Block& /*block*/) noexcept override { ++blocks; }
  int blocks = 0;
};

using Packets = std::vector<std::vector<std::uint8_t>>;

Packets opus_packets() {
  auto encoder = OpusPacketEncoder::create({.sample_rate_hz = 16000, .bitrate_bps = 24'000});
  EXPECT_TRUE(encoder);
  Packets packets;
  for (int index = 0; index < kPackets; ++index) {
    const auto packet = encoder->encode(test::voice_signal(std::int64_t{index} * 320, 320, 16000));
    packets.emplace_back(packet.begin(), packet.end());
  }
  return packets;
}

/// Twenty milliseconds of a tone each.
Packets pcm_packets(const AudioFormat& format) {
  std::vector<std::uint8_t> packet(static_cast<std::size_t>(format.sample_rate_hz / 50) *
                                   sample_frame_bytes(format));
  for (std::size_t at = 0; at + 4 <= packet.size(); at += 4) {
    const auto value = static_cast<float>(0.3 * std::sin(0.07 * static_cast<double>(at)));
    std::memcpy(packet.data() + at, &value, 4);
  }
  return Packets(kPackets, packet);
}

/// Allocations of `run`, which is given a new graph.
template <typename RunFn>
std::size_t count(const AudioFormat& format, RunFn&& run) {
  NoSink sink;
  auto graph = StreamGraph::create(format, sink);
  EXPECT_TRUE(graph);
  const std::size_t before = allocations;
  run(**graph);
  EXPECT_GE(sink.blocks, 900);
  return allocations - before;
}

class GraphAllocations : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(StreamGraph::init_graphs()); }
};

TEST_F(GraphAllocations, AreNoneInTenSecondsOfAnyCodec) {
  for (const AudioFormat& format : {AudioFormat{Codec::kOpus, 48000, 1},
                                    AudioFormat{Codec::kPcmS16le, 16000, 1},
                                    AudioFormat{Codec::kPcmS16le, 48000, 2},
                                    AudioFormat{Codec::kPcmF32le, 44100, 1}}) {
    const Packets packets = format.codec == Codec::kOpus ? opus_packets() : pcm_packets(format);
    const std::size_t made = count(format, [&packets](StreamGraph& graph) {
      for (const auto& packet : packets)
        EXPECT_TRUE(graph.push(packet));
    });
    EXPECT_EQ(made, 0U) << codec_name(format.codec) << " " << format.sample_rate_hz;
  }
}

TEST_F(GraphAllocations, AreNoneForLossesAndPauses) {
  const Packets packets = opus_packets();
  const std::size_t made = count({Codec::kOpus, 48000, 1}, [&packets](StreamGraph& graph) {
    for (std::size_t index = 0; index < packets.size(); ++index) {
      if (index % 33 == 0) {
        graph.conceal(320, {});
      } else if (index % 50 == 1) {
        graph.silence(333);
      } else {
        EXPECT_TRUE(graph.push(packets[index]));
      }
    }
  });
  EXPECT_EQ(made, 0U);
}

/// Heap that a hundred graphs hold once audio ran through them, of one. Slices lie in pages of
/// malloc's, so its own books have them too.
std::size_t heap_bytes(const AudioFormat& format, const Packets& packets) {
  constexpr std::size_t kGraphs = 100;
  NoSink sink;
  std::vector<std::unique_ptr<StreamGraph>> graphs;
  graphs.reserve(kGraphs);
  const std::size_t before = mallinfo2().uordblks;
  for (std::size_t index = 0; index < kGraphs; ++index) {
    auto graph = StreamGraph::create(format, sink);
    EXPECT_TRUE(graph);
    for (int packet = 0; packet < 10; ++packet)
      EXPECT_TRUE((*graph)->push(packets[static_cast<std::size_t>(packet)]));
    graphs.push_back(*std::move(graph));
  }
  return (mallinfo2().uordblks - before) / kGraphs;
}

TEST_F(GraphAllocations, HoldAtMost64KibibytesOfHeap) {
  for (const AudioFormat& format : {AudioFormat{Codec::kOpus, 48000, 1},
                                    AudioFormat{Codec::kPcmS16le, 16000, 1},
                                    AudioFormat{Codec::kPcmS16le, 48000, 2},
                                    AudioFormat{Codec::kPcmF32le, 44100, 1}}) {
    const Packets packets = format.codec == Codec::kOpus ? opus_packets() : pcm_packets(format);
    EXPECT_LE(heap_bytes(format, packets), 65'536U)
        << codec_name(format.codec) << " " << format.sample_rate_hz;
  }
}

TEST_F(GraphAllocations, AreCountedAtAll) {
  const std::size_t before = allocations;
  const auto some = std::make_unique<int>(1);
  EXPECT_GT(allocations, before);
  const std::size_t slices = allocations;
  g_slice_free1(64, g_slice_alloc(64));
  EXPECT_GT(allocations, slices);
}

}  // namespace
}  // namespace qylon::media

#endif
