#include "media/containers/gst_source.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <gst/gst.h>

#include "media/elements/buffer_meta.hpp"
#include "media/elements/gst_ptr.hpp"

namespace qylon::media {
namespace {

struct Demuxer {
  Codec codec;
  const char* factory;
};
constexpr std::array<Demuxer, 3> kDemuxers = {
    {{Codec::kWebm, "matroskademux"}, {Codec::kMp4, "qtdemux"}, {Codec::kWav, "wavparse"}}};

/// Streams without a container: what to tell the decoder, and in which unit their bytes count.
struct Elementary {
  Codec codec;
  const char* caps;
  GstFormat segment;
};
constexpr std::array<Elementary, 6> kElementaries = {
    {{Codec::kFlac, "audio/x-flac", GST_FORMAT_BYTES},
     {Codec::kAdts, "audio/mpeg, mpegversion=(int)4, stream-format=(string)adts", GST_FORMAT_BYTES},
     {Codec::kMp3, "audio/mpeg, mpegversion=(int)1, layer=(int)3", GST_FORMAT_BYTES},
     {Codec::kMulaw, "audio/x-mulaw", GST_FORMAT_TIME},
     {Codec::kAlaw, "audio/x-alaw", GST_FORMAT_TIME},
     {Codec::kG722, "audio/G722", GST_FORMAT_TIME}}};

/// Caps that a chain of elements decodes.
struct Decoder {
  const char* caps;
  const char* elements;
};
constexpr std::array<Decoder, 7> kDecoders = {
    {{"audio/x-raw", ""},
     {"audio/mpeg, mpegversion=(int){ 2, 4 }", "aacparse ! avdec_aac ! "},
     {"audio/mpeg, mpegversion=(int)1, layer=(int)3", "mpegaudioparse ! mpg123audiodec ! "},
     {"audio/x-flac", "flacparse ! flacdec ! "},
     {"audio/x-mulaw", "mulawdec ! "},
     {"audio/x-alaw", "alawdec ! "},
     {"audio/G722", "avdec_g722 ! "}}};
constexpr const char* kTail =
    "audioconvert dithering=none ! audioresample ! capsfilter name=last caps=\"audio/x-raw, "
    "format=(string)S16LE, layout=(string)interleaved, channels=(int)[ 1, 2 ], rate=(int){ 8000, "
    "11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000 }\"";

/// flacparse looks at a whole frame anew for every piece: tiny ones would cost minutes.
constexpr std::size_t kFlacGrainBytes = 1024;

Error unavailable(std::string message) {
  return {ErrorCode::kUnavailable, std::move(message)};
}

const Decoder* find_decoder(GstCaps* caps) {
  for (const Decoder& decoder : kDecoders) {
    const CapsPtr wanted(gst_caps_from_string(decoder.caps));
    if (gst_caps_can_intersect(caps, wanted.get()) == TRUE) return &decoder;
  }
  return nullptr;
}

std::string media_type(GstCaps* caps) {
  if (gst_caps_get_size(caps) == 0) return "nothing";
  return gst_structure_get_name(gst_caps_get_structure(caps, 0));
}

int int_field(GstCaps* caps, const char* name, int otherwise) {
  int value = otherwise;
  if (gst_caps_get_size(caps) > 0)
    gst_structure_get_int(gst_caps_get_structure(caps, 0), name, &value);
  return value;
}

gboolean refuse_event(GstPad* /*pad*/, GstObject* /*parent*/, GstEvent* event) noexcept {
  gst_event_unref(event);
  return FALSE;
}
gboolean refuse_query(GstPad* /*pad*/, GstObject* /*parent*/, GstQuery* /*query*/) noexcept {
  return FALSE;
}

/// source -> [demuxer] -> intake: looks at the caps -> feeder -> [decoder] -> outlet
class GstSource final : public ByteSource {
 public:
  GstSource(const AudioFormat& stream, PacketOutput& output)
      : stream_(stream),
        output_(output),
        source_(gst_pad_new("source", GST_PAD_SRC)),
        intake_(gst_pad_new("intake", GST_PAD_SINK)),
        feeder_(gst_pad_new("feeder", GST_PAD_SRC)),
        outlet_(gst_pad_new("outlet", GST_PAD_SINK)) {
    for (GstPad* const pad : {source_.get(), feeder_.get()}) {
      gst_pad_set_event_function(pad, refuse_event);
      gst_pad_set_query_function(pad, refuse_query);
    }
    gst_pad_set_element_private(intake_.get(), this);
    gst_pad_set_chain_function(intake_.get(), take_encoded);
    gst_pad_set_event_function(intake_.get(), take_intake_event);
    gst_pad_set_element_private(outlet_.get(), this);
    gst_pad_set_chain_function(outlet_.get(), take_pcm);
    gst_pad_set_event_function(outlet_.get(), take_outlet_event);
  }
  ~GstSource() override {
    gst_pad_set_active(source_.get(), FALSE);
    gst_pad_set_active(feeder_.get(), FALSE);
    for (const ElementPtr* const element : {&demuxer_, &decoder_}) {
      if (*element) gst_element_set_state(element->get(), GST_STATE_NULL);
    }
    gst_pad_set_active(intake_.get(), FALSE);
    gst_pad_set_active(outlet_.get(), FALSE);
  }
  GstSource(const GstSource&) = delete;
  GstSource& operator=(const GstSource&) = delete;
  GstSource(GstSource&&) = delete;
  GstSource& operator=(GstSource&&) = delete;

  Status open() {
    gst_pad_set_active(source_.get(), TRUE);
    gst_pad_set_active(intake_.get(), TRUE);
    const auto* const demuxer = std::ranges::find(kDemuxers, stream_.codec, &Demuxer::codec);
    return demuxer != kDemuxers.end() ? open_demuxer(demuxer->factory) : open_elementary();
  }

  Status push(std::span<const std::uint8_t> bytes) override {
    if (grain_ == 1) return push_whole(bytes);
    held_.insert(held_.end(), bytes.begin(), bytes.end());
    const std::size_t whole = held_.size() - held_.size() % grain_;
    if (whole == 0) return ok();
    const Status pushed = push_whole(std::span(held_).first(whole));
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(whole));
    return pushed;
  }

  void finish() override {
    if (!held_.empty()) static_cast<void>(push_whole(held_));
    gst_pad_push_event(source_.get(), gst_event_new_eos());
  }

 private:
  Status push_whole(std::span<const std::uint8_t> bytes) {
    GstBuffer* const buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
    const GstFlowReturn flow = gst_pad_push(source_.get(), buffer);
    if (!trouble_.empty()) return Error{ErrorCode::kInvalidArgument, trouble_};
    // A file may end before its bytes do: what follows is for nobody.
    if (flow == GST_FLOW_OK || flow == GST_FLOW_EOS) return ok();
    return Error{ErrorCode::kInvalidArgument,
                 "the bytes are no " + std::string(codec_name(stream_.codec)) +
                     " with sound in it (" + gst_flow_get_name(flow) + ")"};
  }

  Status open_demuxer(const char* factory) {
    GstElement* const element = gst_element_factory_make(factory, nullptr);
    if (element == nullptr)
      return unavailable(std::string("the GStreamer element ") + factory + " is missing");
    demuxer_.reset(static_cast<GstElement*>(gst_object_ref_sink(element)));
    g_signal_connect(element, "pad-added", G_CALLBACK(on_pad), this);
    if (const PadPtr fixed{gst_element_get_static_pad(element, "src")}) link_intake(fixed.get());
    if (gst_element_set_state(element, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
      return unavailable(std::string("the GStreamer element ") + factory + " does not start");
    const PadPtr sink(gst_element_get_static_pad(element, "sink"));
    if (!sink ||
        gst_pad_link_full(source_.get(), sink.get(), GST_PAD_LINK_CHECK_NOTHING) != GST_PAD_LINK_OK)
      return unavailable(std::string("the GStreamer element ") + factory + " does not link");
    push_start(source_.get(), nullptr, GST_FORMAT_BYTES);
    return ok();
  }

  Status open_elementary() {
    const auto* const kind = std::ranges::find(kElementaries, stream_.codec, &Elementary::codec);
    QYLON_CHECK(kind != kElementaries.end());
    if (gst_pad_link_full(source_.get(), intake_.get(), GST_PAD_LINK_CHECK_NOTHING) !=
        GST_PAD_LINK_OK)
      return unavailable("GStreamer does not link two pads");
    const CapsPtr caps(gst_caps_from_string(kind->caps));
    if (stream_.codec == Codec::kFlac) grain_ = kFlacGrainBytes;
    if (stream_.codec == Codec::kMulaw || stream_.codec == Codec::kAlaw)
      grain_ = static_cast<std::size_t>(stream_.channels);
    const bool raw = kind->segment == GST_FORMAT_TIME;  // Nothing in the bytes tells the rate.
    if (raw) {
      gst_caps_set_simple(caps.get(),
                          "rate",
                          G_TYPE_INT,
                          stream_.sample_rate_hz,
                          "channels",
                          G_TYPE_INT,
                          stream_.channels,
                          nullptr);
    }
    push_start(source_.get(), caps.get(), kind->segment);
    if (trouble_.empty()) return ok();
    return unavailable(trouble_);
  }

  static void push_start(GstPad* pad, GstCaps* caps, GstFormat format) {
    GstSegment segment;
    gst_segment_init(&segment, format);
    gst_pad_push_event(pad, gst_event_new_stream_start("stream"));
    if (caps != nullptr) gst_pad_push_event(pad, gst_event_new_caps(caps));
    gst_pad_push_event(pad, gst_event_new_segment(&segment));
  }

  static void on_pad(GstElement* /*demuxer*/, GstPad* pad, gpointer self) noexcept {
    const CapsPtr caps(gst_pad_get_current_caps(pad));
    if (!caps || !media_type(caps.get()).starts_with("audio/")) return;
    static_cast<GstSource*>(self)->link_intake(pad);
  }

  /// Of several sound tracks the first is heard.
  void link_intake(GstPad* pad) {
    if (gst_pad_is_linked(intake_.get()) == TRUE) return;
    gst_pad_link_full(pad, intake_.get(), GST_PAD_LINK_CHECK_NOTHING);
  }

  static GstSource* self_of(GstPad* pad) {
    return static_cast<GstSource*>(gst_pad_get_element_private(pad));
  }

  static gboolean take_intake_event(GstPad* pad, GstObject* /*parent*/, GstEvent* event) noexcept {
    return self_of(pad)->on_intake_event(event) ? TRUE : FALSE;
  }

  bool on_intake_event(GstEvent* event) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      if (!decoder_ && !opus_) on_caps(caps);
    }
    if (decoder_ && trouble_.empty()) return gst_pad_push_event(feeder_.get(), event) == TRUE;
    if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT || GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
      gst_event_unref(event);
      return true;
    }
    gst_event_unref(event);
    return trouble_.empty();
  }

  void on_caps(GstCaps* caps) {
    const std::string type = media_type(caps);
    if (type == "audio/x-opus") {
      open_opus(caps);
      return;
    }
    const Decoder* const decoder = find_decoder(caps);
    if (decoder == nullptr) {
      trouble_ = "the stream carries " + type +
                 ", which is not taken; send Opus, AAC, MP3, FLAC, G.711 or PCM";
      return;
    }
    open_decoder(decoder->elements);
  }

  void open_opus(GstCaps* caps) {
    const int channels = int_field(caps, "channels", 2);
    if (int_field(caps, "channel-mapping-family", 0) != 0 || channels < 1 || channels > 2) {
      trouble_ = "Opus with more than two channels is not taken; send mono or stereo";
      return;
    }
    opus_ = true;
    output_.open({Codec::kOpus, 48000, channels});
  }

  void open_decoder(const char* elements) {
    GError* error = nullptr;
    const std::string line = "identity name=first ! " + (std::string(elements) + kTail);
    GstElement* const bin = gst_parse_bin_from_description(line.c_str(), FALSE, &error);
    if (bin == nullptr) {
      trouble_ = "this server cannot decode the stream: " + take_message(error);
      return;
    }
    decoder_.reset(static_cast<GstElement*>(gst_object_ref_sink(bin)));
    gst_pad_set_active(outlet_.get(), TRUE);
    gst_pad_set_active(feeder_.get(), TRUE);
    const bool linked = link("first", "sink") && link("last", "src");
    if (!linked || gst_element_set_state(bin, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE) {
      trouble_ = "this server cannot start the stream's decoder";
      return;
    }
    gst_pad_push_event(feeder_.get(), gst_event_new_stream_start("decoded"));
  }

  bool link(const char* element_name, const char* pad_name) {
    const ElementPtr element(
        gst_bin_get_by_name(reinterpret_cast<GstBin*>(decoder_.get()), element_name));
    if (!element) return false;
    const PadPtr theirs(gst_element_get_static_pad(element.get(), pad_name));
    const bool is_sink = std::string_view(pad_name) == "sink";
    GstPad* const from = is_sink ? feeder_.get() : theirs.get();
    GstPad* const to = is_sink ? theirs.get() : outlet_.get();
    return gst_pad_link_full(from, to, GST_PAD_LINK_CHECK_NOTHING) == GST_PAD_LINK_OK;
  }

  static GstFlowReturn take_encoded(GstPad* pad,
                                    GstObject* /*parent*/,
                                    GstBuffer* buffer) noexcept {
    return self_of(pad)->on_encoded(buffer);
  }

  GstFlowReturn on_encoded(GstBuffer* buffer) {
    if (decoder_ && trouble_.empty()) return gst_pad_push(feeder_.get(), buffer);
    if (opus_) {
      std::optional<std::int64_t> pts_us;
      if (GST_BUFFER_PTS_IS_VALID(buffer))
        pts_us = static_cast<std::int64_t>(GST_BUFFER_PTS(buffer) / 1000);
      const BufferView view(buffer);
      output_.opus(view.bytes(), pts_us);
    }
    gst_buffer_unref(buffer);
    return opus_ ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED;
  }

  static gboolean take_outlet_event(GstPad* pad, GstObject* /*parent*/, GstEvent* event) noexcept {
    GstSource* const self = self_of(pad);
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      self->on_pcm_caps(caps);
    }
    gst_event_unref(event);
    return self->trouble_.empty() ? TRUE : FALSE;
  }

  void on_pcm_caps(GstCaps* caps) {
    const AudioFormat format{
        Codec::kPcmS16le, int_field(caps, "rate", 0), int_field(caps, "channels", 0)};
    if (!output_.format()) {
      output_.open(format);
    } else if (*output_.format() != format) {
      trouble_ = "the stream changed its rate or channels; begin a new stream";
    }
  }

  static GstFlowReturn take_pcm(GstPad* pad, GstObject* /*parent*/, GstBuffer* buffer) noexcept {
    GstSource* const self = self_of(pad);
    const bool wanted = self->output_.format().has_value() && self->trouble_.empty();
    if (wanted) {
      const BufferView view(buffer);
      self->output_.pcm(view.bytes());
    }
    gst_buffer_unref(buffer);
    return wanted ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED;
  }

  const AudioFormat stream_;
  PacketOutput& output_;
  const PadPtr source_;
  const PadPtr intake_;
  const PadPtr feeder_;
  const PadPtr outlet_;
  ElementPtr demuxer_;
  ElementPtr decoder_;
  bool opus_ = false;
  std::size_t grain_ = 1;  // Bytes go in in multiples of this; what is over waits in held_.
  std::vector<std::uint8_t> held_;
  std::string trouble_;  // Why the stream cannot go on.
};

}  // namespace

Result<std::unique_ptr<ByteSource>> make_gst_source(const AudioFormat& stream,
                                                    PacketOutput& output) {
  auto source = std::make_unique<GstSource>(stream, output);
  if (const Status opened = source->open(); !opened) return opened.error();
  return std::unique_ptr<ByteSource>(std::move(source));
}

}  // namespace qylon::media
