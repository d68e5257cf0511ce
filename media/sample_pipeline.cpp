#include "media/sample_pipeline.hpp"

#include <algorithm>
#include <utility>

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include "core/check.hpp"

namespace qylon::media {
namespace {

struct Unref {
  void operator()(GstElement* element) const noexcept { gst_object_unref(element); }
  void operator()(GstBus* bus) const noexcept { gst_object_unref(bus); }
  void operator()(GstSample* sample) const noexcept { gst_sample_unref(sample); }
  void operator()(GstMessage* message) const noexcept { gst_message_unref(message); }
};
template <typename T>
using Ref = std::unique_ptr<T, Unref>;

std::string take_text(GError*& error) {
  std::string text = error == nullptr ? "unknown error" : error->message;
  g_clear_error(&error);
  while (!text.empty() && (text.back() == '.' || text.back() == '\n'))
    text.pop_back();
  return text;
}

std::string error_text(GstMessage* message) {
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  return take_text(error);
}

/// For people, from a missing-plugin message of gst-plugins-base ("MPEG-1 Layer 3 decoder"), or
/// empty.
std::string missing_plugin(GstMessage* message) {
  const GstStructure* facts = gst_message_get_structure(message);
  if (facts == nullptr || gst_structure_has_name(facts, "missing-plugin") == 0) return {};
  const char* name = gst_structure_get_string(facts, "name");
  return name == nullptr ? "a decoder" : name;
}

Status start_gstreamer() {
  GError* error = nullptr;
  if (gst_init_check(nullptr, nullptr, &error) != 0) return ok();
  return Error{ErrorCode::kUnavailable, "GStreamer does not start: " + take_text(error)};
}

void copy_sample(GstSample* sample, SamplePipeline::Chunk& chunk) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  chunk.samples.resize(buffer == nullptr ? 0 : gst_buffer_get_size(buffer) / sizeof(float));
  chunk.stamp_us = -1;
  if (buffer == nullptr) return;
  gst_buffer_extract(buffer, 0, chunk.samples.data(), chunk.samples.size() * sizeof(float));
  const GstClockTime stamp = GST_BUFFER_PTS(buffer);
  if (GST_CLOCK_TIME_IS_VALID(stamp)) chunk.stamp_us = static_cast<std::int64_t>(stamp / 1000);
}

}  // namespace

struct SamplePipeline::Graph {
  std::string name;
  std::string missing;  // Plugins that GStreamer asked for in vain.
  Ref<GstElement> pipeline;
  Ref<GstElement> sink;
  Ref<GstBus> bus;

  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  Graph(Graph&&) = delete;
  Graph& operator=(Graph&&) = delete;
  ~Graph() {
    if (pipeline) gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  }

  /// A new reference. GStreamer's own cast macros are C casts; the types hold by construction.
  GstElement* child(const char* element) {
    return gst_bin_get_by_name(reinterpret_cast<GstBin*>(pipeline.get()), element);
  }
  Status build(const Options& options);
  Status bus_status();
};

Status SamplePipeline::Graph::build(const Options& options) {
  name = options.name;
  const std::string description =
      options.head + " ! audio/x-raw,format=F32LE,channels=1,layout=interleaved,rate=" +
      std::to_string(options.sample_rate_hz) +
      " ! appsink name=sink sync=false max-buffers=" + std::to_string(options.buffers_max) +
      (options.live ? " drop=true" : "");
  GError* error = nullptr;
  pipeline.reset(
      gst_parse_launch_full(description.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error));
  if (!pipeline) return Error{ErrorCode::kUnavailable, "GStreamer has " + take_text(error)};
  gst_object_ref_sink(pipeline.get());
  const Ref<GstElement> source(child("source"));
  QYLON_CHECK(source != nullptr);
  for (const auto& [property, value] : options.source_properties)
    gst_util_set_object_arg(&source->object.object, property.c_str(), value.c_str());
  sink.reset(child("sink"));
  bus.reset(gst_element_get_bus(pipeline.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  return ok();
}

Status SamplePipeline::Graph::bus_status() {
  constexpr auto kWatched = static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT);
  while (const Ref<GstMessage> message{gst_bus_pop_filtered(bus.get(), kWatched)}) {
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) {
      return Error{ErrorCode::kInvalidArgument,
                   missing.empty()
                       ? name + ": " + error_text(message.get())
                       : name + " needs GStreamer plugins that are not installed: " + missing};
    }
    const std::string plugin = missing_plugin(message.get());
    if (!plugin.empty()) missing += (missing.empty() ? "" : ", ") + plugin;
  }
  return ok();
}

SamplePipeline::SamplePipeline(std::unique_ptr<Graph> graph) : graph_(std::move(graph)) {}
SamplePipeline::SamplePipeline(SamplePipeline&& other) noexcept = default;
SamplePipeline& SamplePipeline::operator=(SamplePipeline&& other) noexcept = default;
SamplePipeline::~SamplePipeline() = default;

Result<SamplePipeline> SamplePipeline::create(const Options& options) {
  const Status started = start_gstreamer();
  if (!started) return started.error();
  auto graph = std::make_unique<Graph>();
  const Status built = graph->build(options);
  if (!built) return built.error();
  return SamplePipeline(std::move(graph));
}

Result<SamplePipeline::Pulled> SamplePipeline::pull(Chunk& chunk,
                                                    std::chrono::milliseconds timeout) {
  constexpr std::chrono::milliseconds kBusPeriod{100};
  auto* sink = reinterpret_cast<GstAppSink*>(graph_->sink.get());
  while (true) {
    // An error does not wake the sink, so a long wait is cut into short ones.
    const auto wait = std::min(timeout, kBusPeriod);
    const Ref<GstSample> sample(
        gst_app_sink_try_pull_sample(sink, static_cast<GstClockTime>(wait.count()) * GST_MSECOND));
    if (sample) {
      copy_sample(sample.get(), chunk);
      return Pulled::kChunk;
    }
    const Status status = graph_->bus_status();
    if (!status) return status.error();
    if (gst_app_sink_is_eos(sink) != 0) return Pulled::kEnd;
    timeout -= wait;
    if (timeout.count() <= 0) return Pulled::kNothing;
  }
}

std::optional<std::int64_t> SamplePipeline::duration_ms() const {
  gint64 duration_ns = 0;
  if (gst_element_query_duration(graph_->pipeline.get(), GST_FORMAT_TIME, &duration_ns) == 0 ||
      duration_ns < 0) {
    return std::nullopt;
  }
  return duration_ns / 1'000'000;
}

}  // namespace qylon::media
