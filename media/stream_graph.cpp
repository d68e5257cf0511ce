#include "media/stream_graph.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include <gst/gst.h>

#include "media/elements/buffer_meta.hpp"
#include "media/elements/gst_ptr.hpp"
#include "media/elements/transform.hpp"
#include "media/packet.hpp"

namespace qylon::media {
namespace {

struct GraphLine {
  Codec codec;
  const char* graph;
};
/// Every graph a stream can have. Its first element is pushed into; a pad of ours follows the last.
constexpr std::array<GraphLine, 3> kGraphs = {{
    {Codec::kOpus, "qylonopusdec name=first ! qylonfrontend ! qylonvad name=last"},
    {Codec::kPcmS16le, "qylonresample name=first ! qylonfrontend ! qylonvad name=last"},
    {Codec::kPcmF32le, "qylonresample name=first ! qylonfrontend ! qylonvad name=last"},
}};
/// What a packet counts as whose length cannot be told, until a good one came.
constexpr std::int64_t kUsualPacketSamples = kPipelineRateHz / 50;

Error unavailable(std::string message) {
  return {ErrorCode::kUnavailable, std::move(message)};
}

/// What is pushed at once. Opus: a packet, six frames of 20 ms, 1,275 bytes each (RFC 6716 section
/// 3.4); PCM: 20 ms.
std::size_t piece_bytes_max(const AudioFormat& format) {
  if (format.codec == Codec::kOpus) return 6 * 1275 + 64;
  return static_cast<std::size_t>(format.sample_rate_hz) / 50 * sample_frame_bytes(format);
}

GstCaps* input_caps(const AudioFormat& format) {
  if (format.codec == Codec::kOpus) {
    return gst_caps_new_simple("audio/x-opus", "channel-mapping-family", G_TYPE_INT, 0, nullptr);
  }
  return gst_caps_new_simple("audio/x-raw",
                             "format",
                             G_TYPE_STRING,
                             format.codec == Codec::kPcmF32le ? "F32LE" : "S16LE",
                             "layout",
                             G_TYPE_STRING,
                             "interleaved",
                             "rate",
                             G_TYPE_INT,
                             format.sample_rate_hz,
                             "channels",
                             G_TYPE_INT,
                             format.channels,
                             nullptr);
}

EventPtr make_gap() {
  GstEvent* const gap = gst_event_new_gap(0, 0);
  gst_event_set_gap_flags(gap, GST_GAP_FLAG_MISSING_DATA);
  return EventPtr(gap);
}

gboolean swallow_event(GstPad* /*pad*/, GstObject* /*parent*/, GstEvent* event) noexcept {
  gst_event_unref(event);
  return TRUE;
}

class PushedGraph final : public StreamGraph {
 public:
  PushedGraph(const AudioFormat& format, BlockSink& sink)
      : format_(format), blocks_(sink), sink_(PadPtr(gst_pad_new("sink", GST_PAD_SINK))) {
    gst_pad_set_element_private(sink_.get(), this);
    gst_pad_set_chain_function(sink_.get(), take_blocks);
    gst_pad_set_event_function(sink_.get(), swallow_event);
  }
  ~PushedGraph() override {
    if (bin_) gst_element_set_state(bin_.get(), GST_STATE_NULL);
    gst_pad_set_active(sink_.get(), FALSE);
  }
  PushedGraph(const PushedGraph&) = delete;
  PushedGraph& operator=(const PushedGraph&) = delete;
  PushedGraph(PushedGraph&&) = delete;
  PushedGraph& operator=(PushedGraph&&) = delete;

  Status build(const char* graph) {
    GError* error = nullptr;
    GstElement* const bin = gst_parse_bin_from_description(graph, FALSE, &error);
    if (bin == nullptr)
      return unavailable("GStreamer cannot build \"" + std::string(graph) +
                         "\": " + take_message(error));
    bin_.reset(static_cast<GstElement*>(gst_object_ref_sink(bin)));
    entry_ = find_pad("first", "sink");
    const PadPtr exit = find_pad("last", "src");
    if (!entry_ || !exit ||
        gst_pad_link_full(exit.get(), sink_.get(), GST_PAD_LINK_CHECK_NOTHING) != GST_PAD_LINK_OK)
      return unavailable("GStreamer cannot link \"" + std::string(graph) + "\"");
    gst_pad_set_active(sink_.get(), TRUE);
    if (gst_element_set_state(bin_.get(), GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
      return unavailable("GStreamer cannot start \"" + std::string(graph) + "\"");
    return start();
  }

  std::int64_t packet_samples(std::span<const std::uint8_t> packet) const noexcept override {
    return media::packet_samples(format_, packet, kPipelineRateHz);
  }

  Status push(std::span<const std::uint8_t> packet) override {
    const std::int64_t duration_us = media::packet_samples(format_, packet, kMicrosecondRateHz);
    if (duration_us == 0 || is_too_long(packet)) {
      push_gap(last_samples_, GST_GAP_FLAG_MISSING_DATA);
      return Error{ErrorCode::kInvalidArgument,
                   "a packet of " + std::to_string(packet.size()) + " bytes is not " +
                       std::string(codec_name(format_.codec)) + " of at most " +
                       std::to_string(kPacketMsMax) + " ms"};
    }
    last_samples_ = duration_us * (kPipelineRateHz / 1000) / 1000;
    if (push_packet(packet, 0) != GST_FLOW_OK)
      return Error{ErrorCode::kInvalidArgument, "the decoder refused a packet"};
    return ok();
  }

  void conceal(std::int64_t samples, std::span<const std::uint8_t> next) override {
    if (format_.codec == Codec::kOpus && packet_samples(next) > 0 && !is_too_long(next)) {
      push_packet(next, samples);
    } else {
      push_gap(samples, GST_GAP_FLAG_MISSING_DATA);
    }
  }
  void silence(std::int64_t samples) override { push_gap(samples, static_cast<GstGapFlags>(0)); }

  void flush() override {
    gst_pad_send_event(
        entry_.get(),
        gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty(kDrainEvent)));
  }

 private:
  PadPtr find_pad(const char* element_name, const char* pad_name) {
    const ElementPtr element(
        gst_bin_get_by_name(reinterpret_cast<GstBin*>(bin_.get()), element_name));
    return PadPtr(element ? gst_element_get_static_pad(element.get(), pad_name) : nullptr);
  }

  Status start() {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    GstCaps* const caps = input_caps(format_);
    gst_pad_send_event(entry_.get(), gst_event_new_stream_start("track"));
    const gboolean taken = gst_pad_send_event(entry_.get(), gst_event_new_caps(caps));
    gst_caps_unref(caps);
    gst_pad_send_event(entry_.get(), gst_event_new_segment(&segment));
    if (taken == FALSE) return unavailable("a GStreamer element does not take the track's format");
    return ok();
  }

  /// Of PCM the duration alone tells.
  bool is_too_long(std::span<const std::uint8_t> packet) const noexcept {
    return format_.codec == Codec::kOpus && packet.size() > piece_.capacity_bytes();
  }

  GstFlowReturn push_packet(std::span<const std::uint8_t> packet, std::int64_t lost_samples) {
    GstFlowReturn flow = GST_FLOW_OK;
    while (!packet.empty() && flow == GST_FLOW_OK) {
      const auto piece = packet.first(std::min(packet.size(), piece_.capacity_bytes()));
      packet = packet.subspan(piece.size());
      std::memcpy(piece_.bytes().data(), piece.data(), piece.size());
      piece_.meta().lost_samples = lost_samples;
      flow = piece_.push(entry_.get(), piece.size());
    }
    return flow;
  }

  void push_gap(std::int64_t samples, GstGapFlags flags) {
    if (samples <= 0) return;
    // One event is used again and again, unless somebody downstream still holds it.
    if (!gap_ || GST_MINI_OBJECT_REFCOUNT_VALUE(gap_.get()) != 1) gap_ = make_gap();
    gst_structure_set(gst_event_writable_structure(gap_.get()),
                      "duration",
                      GST_TYPE_CLOCK_TIME,
                      static_cast<GstClockTime>(samples * kNsPerSample),
                      nullptr);
    gst_event_set_gap_flags(gap_.get(), flags);
    gst_pad_send_event(entry_.get(), gst_event_ref(gap_.get()));
  }

  static GstFlowReturn take_blocks(GstPad* pad, GstObject* /*parent*/, GstBuffer* buffer) noexcept {
    const BufferPtr owned(buffer);
    static_cast<PushedGraph*>(gst_pad_get_element_private(pad))->deliver(buffer);
    return GST_FLOW_OK;
  }

  void deliver(GstBuffer* buffer) noexcept {
    const BufferView view(buffer);
    QYLON_CHECK(view.facts() != nullptr);
    auto samples = view.samples();
    for (const BlockFacts& facts : view.facts()->facts) {
      if (samples.size() < kBlockSize) break;
      std::copy_n(samples.begin(), kBlockSize, block_.samples.begin());
      block_.speech_probability = facts.speech_probability;
      block_.rms_dbfs = facts.rms_dbfs;
      block_.peak_dbfs = facts.peak_dbfs;
      block_.momentary_lufs = facts.momentary_lufs;
      block_.clipped = facts.clipped;
      block_.concealed = facts.invented;
      blocks_.on_block(block_);
      block_.start_sample += kBlockSamples;
      samples = samples.subspan(kBlockSize);
    }
  }

  const AudioFormat format_;
  BlockSink& blocks_;
  ElementPtr bin_;  // Constant after build().
  PadPtr entry_;    // Of bin_'s first element; constant after build().
  const PadPtr sink_;
  EventPtr gap_ = make_gap();
  ReusableBuffer piece_{piece_bytes_max(format_)};
  std::int64_t last_samples_ = kUsualPacketSamples;
  Block block_;
};

class BlockCounter final : public BlockSink {
 public:
  void on_block(const Block& /*block*/) noexcept override { ++blocks; }
  int blocks = 0;
};

Status preroll(Codec codec) {
  BlockCounter counter;
  auto graph = StreamGraph::create({codec, 48000, 1}, counter);
  if (!graph) return graph.error();
  (*graph)->silence(kBlockSamples);
  if (counter.blocks == 1) return ok();
  return unavailable("no audio came out of the GStreamer graph for " +
                     std::string(codec_name(codec)));
}

}  // namespace

void StreamGraph::restrict_plugins() {
  setenv("GST_REGISTRY_DISABLE", "yes", 1);
  setenv("GST_PLUGIN_SYSTEM_PATH_1_0", "", 1);
  setenv("GST_PLUGIN_PATH_1_0", "", 1);
}

Status StreamGraph::init_graphs() {
  GError* error = nullptr;
  if (gst_init_check(nullptr, nullptr, &error) == FALSE)
    return unavailable("GStreamer does not start: " + take_message(error));
  if (!register_elements(nullptr)) return unavailable("GStreamer does not take our elements");
  for (const GraphLine& line : kGraphs) {
    if (const Status rolled = preroll(line.codec); !rolled) return rolled;
  }
  return ok();
}

Result<std::unique_ptr<StreamGraph>> StreamGraph::create(const AudioFormat& format,
                                                         BlockSink& sink) {
  const auto* const line = std::ranges::find(kGraphs, format.codec, &GraphLine::codec);
  QYLON_CHECK(line != kGraphs.end());
  auto graph = std::make_unique<PushedGraph>(format, sink);
  if (const Status built = graph->build(line->graph); !built) return built.error();
  return std::unique_ptr<StreamGraph>(std::move(graph));
}

}  // namespace qylon::media
