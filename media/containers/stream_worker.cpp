#include "media/containers/stream_worker.hpp"

#include <array>
#include <cerrno>
#include <map>
#include <memory>

#include <glib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/worker/socket_io.hpp"
#include "core/worker/zygote.hpp"
#include "media/containers/gst_source.hpp"
#include "media/containers/sandbox.hpp"
#include "media/containers/stream_messages.hpp"
#include "media/containers/stream_plugins.hpp"
#include "media/uplink_frame.hpp"

namespace qylon::media {
namespace {

constexpr std::uint64_t kAddressSpaceBytes = 1U << 30;
constexpr std::size_t kFlushBytes = 64U << 10;
constexpr std::size_t kStreamsMax = 4096;

/// One stream's packets on their way to the server.
class StreamOutlet final : public PacketSink {
 public:
  StreamOutlet(StreamId stream, int socket) : stream_(stream), socket_(socket) { begin_packets(); }

  void on_format(const AudioFormat& format) override { format_ = format; }
  void on_packet(std::span<const std::uint8_t> packet, std::int64_t time_us) override {
    found_bytes_ += packet.size();
    if (found_bytes_ > kPieceFoundBytesMax || packet.size() > kUplinkPayloadBytesMax) return;
    packets_.value(time_us);
    packets_.value(static_cast<std::uint32_t>(packet.size()));
    packets_.raw({reinterpret_cast<const char*>(packet.data()), packet.size()});
    if (packets_.bytes().size() >= kFlushBytes) flush();
  }

  bool too_much() const noexcept { return found_bytes_ > kPieceFoundBytesMax; }

  /// Everything of a piece goes out at once, unless it is much.
  bool finish_piece(const PieceDone& done) {
    flush();
    append_frame(out_, StreamFrame::kPieceDone, encode_done(done));
    found_bytes_ = 0;
    return write_out();
  }

 private:
  void begin_packets() {
    packets_ = {};
    packets_.value(stream_);
  }

  void flush() {
    if (format_) {
      const StreamFormat format{stream_, *format_};
      append_frame(out_, StreamFrame::kFormat, encode_format(format));
      format_.reset();
    }
    if (packets_.bytes().size() > sizeof stream_) {
      append_frame(out_, StreamFrame::kPackets, packets_.bytes());
      begin_packets();
    }
    if (out_.size() >= kFlushBytes) write_out();
  }

  bool write_out() {
    const bool written = write_all(socket_, out_);
    out_.clear();
    return written;
  }

  const StreamId stream_;
  const int socket_;
  std::optional<AudioFormat> format_;  // Not told yet.
  PayloadWriter packets_;
  std::string out_;
  std::size_t found_bytes_ = 0;  // In this piece.
};

class StreamWorker {
 public:
  explicit StreamWorker(int socket) : socket_(socket) {}

  void run() {
    std::array<char, 65536> buffer{};
    for (;;) {
      const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return;
      reader_.append({buffer.data(), static_cast<std::size_t>(got)});
      if (!drain()) return;
    }
  }

 private:
  struct Stream {
    Stream(int socket, OpenStream&& open)
        : outlet(open.stream, socket), unpacker(outlet, std::move(open.start)) {}
    StreamOutlet outlet;
    Unpacker unpacker;
  };

  bool drain() {
    for (;;) {
      const auto frame = reader_.next();
      if (!frame) return false;
      if (!frame->has_value()) return true;
      if (!handle(**frame)) return false;
    }
  }

  bool handle(const Frame& frame) {
    switch (frame.type) {
      case StreamFrame::kOpen:
        return open(frame.payload);
      case StreamFrame::kPiece:
        return take_piece(frame.payload);
      case StreamFrame::kClose:
        return close(frame.payload);
      default:
        return false;
    }
  }

  bool open(std::string_view payload) {
    auto message = parse_open(payload);
    if (!message || streams_.size() >= kStreamsMax) return false;
    const StreamId id = message->stream;
    streams_[id] = std::make_unique<Stream>(socket_, *std::move(message));
    return true;
  }

  bool close(std::string_view payload) {
    const auto id = parse_stream(payload);
    if (!id) return false;
    limit_computing();
    streams_.erase(*id);
    return true;
  }

  bool take_piece(std::string_view payload) {
    const auto piece = parse_piece(payload);
    if (!piece) return false;
    const auto found = streams_.find(piece->stream);
    if (found == streams_.end()) return false;
    limit_computing();
    return unpack(*found->second, *piece);
  }

  static bool unpack(Stream& stream, const StreamPiece& piece) {
    PieceDone done;
    done.stream = piece.stream;
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(piece.bytes.data());
    const Status pushed = stream.unpacker.push({bytes, piece.bytes.size()});
    if (!pushed) done.trouble = pushed.error().message;
    if (pushed && piece.last) stream.unpacker.finish();
    if (stream.outlet.too_much())
      done.trouble = "one piece holds too much sound; send pieces of at most a few seconds";
    done.codec = stream.unpacker.codec();
    done.restart = stream.unpacker.restart();
    done.units = stream.unpacker.units();
    return stream.outlet.finish_piece(done);
  }

  /// From here on; time that passes while nothing is computed does not count.
  static void limit_computing() {
    const itimerval limit{{0, 0}, {0, kPieceCpuMsMax * 1000}};
    ::setitimer(ITIMER_PROF, &limit, nullptr);
  }

  const int socket_;
  FrameReader reader_;
  std::map<StreamId, std::unique_ptr<Stream>> streams_;
};

GLogWriterOutput discard(GLogLevelFlags /*level*/,
                         const GLogField* /*fields*/,
                         gsize /*count*/,
                         gpointer /*data*/) noexcept {
  return G_LOG_WRITER_HANDLED;
}

/// What libraries load or look up at their first use they must have before files are out of reach;
/// and what is loaded here is shared by all workers.
void warm_up() {
  for (const char* const encoding :
       {"ISO-8859-1", "WINDOWS-1252", "UTF-16", "UTF-16LE", "UTF-16BE"})
    static_cast<void>(g_iconv_open("UTF-8", encoding));  // Kept open for tags in any of them.
  class Nowhere final : public PacketSink {
    void on_format(const AudioFormat& /*format*/) override {}
    void on_packet(std::span<const std::uint8_t> /*packet*/, std::int64_t /*time_us*/) override {}
  } nowhere;
  for (const Codec codec : {Codec::kWebm,
                            Codec::kMp4,
                            Codec::kWav,
                            Codec::kFlac,
                            Codec::kAdts,
                            Codec::kMp3,
                            Codec::kMulaw,
                            Codec::kAlaw,
                            Codec::kG722}) {
    PacketOutput output(nowhere, {});
    const auto source = make_gst_source({codec, default_sample_rate_hz(codec), 1}, output);
    // Without one of them, only its streams are refused.
    if (source) (*source)->finish();
  }
}

Result<WorkerLife> load() {
  g_log_set_writer_func(discard, nullptr, nullptr);  // GLib would ask what kind of file stderr is.
  if (const Status loaded = load_stream_plugins(); !loaded) return loaded.error();
  warm_up();
  return WorkerLife([](int socket) {
    const auto sandbox = enter_sandbox(kAddressSpaceBytes);
    if (!sandbox) return;
    std::string ready;
    append_frame(ready,
                 ControlFrame::kReady,
                 encode_ready({::getpid(), sandbox->landlock_abi, sandbox->filtered}));
    if (write_all(socket, ready)) serve_streams(socket);
  });
}

}  // namespace

std::string encode_ready(const WorkerReady& ready) {
  PayloadWriter writer;
  writer.value(ready.pid);
  writer.value(ready.landlock_abi);
  writer.value(static_cast<std::uint8_t>(ready.filtered));
  return writer.bytes();
}

bool parse_ready(std::string_view payload, WorkerReady& ready) {
  PayloadReader reader(payload);
  std::uint8_t filtered = 0;
  if (!reader.value(ready.pid) || !reader.value(ready.landlock_abi) || !reader.value(filtered))
    return false;
  ready.filtered = filtered != 0;
  return reader.at_end();
}

void serve_streams(int socket) {
  StreamWorker(socket).run();
}

int run_stream_zygote() {
  ZygoteLimits limits;
  limits.process_name = "qylon-streams";
  limits.nice = 0;
  return serve_zygote(limits, load);
}

}  // namespace qylon::media
