// What live WebM/Opus streams cost from their bytes to 16 kHz samples, for the same speech:
//   kernels   Unpacker and libopus, called directly in one thread
//   workers   the real StreamService with its sandboxed processes, fed in real time; libopus behind
//   pipeline  appsrc ! matroskademux ! opusdec ! audioconvert ! audioresample ! fakesink
// Prints the CPU time per second of a stream, what all streams together take of one core, memory
// per stream, threads, and how long a new stream waits for its first samples. Rounds of kernels and
// pipeline are interleaved and medians compared, so that what else the machine does cancels out.
// Usage: media_containers_bench [streams=500]
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <opus/opus.h>
#include <unistd.h>

#include "bench/webm_peer.hpp"
#include "core/check.hpp"
#include "media/containers/stream_plugins.hpp"
#include "media/containers/stream_service.hpp"
#include "media/containers/stream_worker.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/worker_processes.hpp"

namespace qylon::media {
namespace {

using bench::Bytes;
using bench::kPipelines;
using bench::Peer;
using bench::read_pieces;
using bench::seconds_of;

constexpr int kRounds = 5;
constexpr int kPieceMs = 100;
constexpr int kRealTimePieces = 60;
constexpr AudioFormat kStream{Codec::kWebm, 48000, 1};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Prints "PASS what" or "FAIL what"; returns `holds`.
bool verdict(bool holds, const char* what) {
  std::printf("%s %s\n", holds ? "PASS" : "FAIL", what);
  return holds;
}

// --- What the product does ---

/// One stream's decoder, as a track has it.
class Decoder {
 public:
  void decode(std::span<const std::uint8_t> packet) {
    std::array<float, 1920> samples{};
    const int count = opus_decode_float(decoder_.get(),
                                        packet.data(),
                                        static_cast<opus_int32>(packet.size()),
                                        samples.data(),
                                        static_cast<int>(samples.size()),
                                        0);
    QYLON_CHECK(count > 0);
    samples_ += count;
  }
  double decoded_s() const { return static_cast<double>(samples_.load()) / 16000.0; }

 private:
  struct Free {
    void operator()(OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }
  };
  std::unique_ptr<OpusDecoder, Free> decoder_{opus_decoder_create(16000, 1, nullptr)};
  std::atomic<std::int64_t> samples_{0};
};

class DirectStream final : public PacketSink {
 public:
  void push(const Bytes& piece) { QYLON_CHECK(unpacker_.push(piece)); }
  void on_format(const AudioFormat& /*format*/) override {}
  void on_packet(std::span<const std::uint8_t> packet, std::int64_t /*time_us*/) override {
    decoder_.decode(packet);
  }
  double decoded_s() const { return decoder_.decoded_s(); }

 private:
  Decoder decoder_;
  Unpacker unpacker_{*this, {kStream, {}, 0, 0, {}}};
};

/// The track behind a stream.
class DecodingTrack final : public TrackUplink {
 public:
  Posted post(UplinkFrame&& frame) override {
    if (!frame.payload.empty()) decoder_.decode(frame.payload);
    ++next_;
    return Posted::kAccepted;
  }
  Posted standing() const noexcept override { return Posted::kAccepted; }
  TrackId track() const noexcept override { return 0; }
  std::uint64_t next_seq() const noexcept override { return next_; }
  std::optional<std::uint64_t> durable_seq() const noexcept override { return next_; }
  std::int64_t heard_ms() const noexcept override { return 0; }
  double decoded_s() const { return decoder_.decoded_s(); }

 private:
  Decoder decoder_;
  std::atomic<std::uint64_t> next_{0};
};

double resident_kb(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/statm");
  double pages = 0.0;
  double resident = 0.0;
  QYLON_CHECK(static_cast<bool>(file >> pages >> resident));
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1024.0;
}

std::size_t threads_of(const std::string& pid) {
  const std::filesystem::directory_iterator tasks("/proc/" + pid + "/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

/// The server's side and its worker processes together.
struct Usage {
  double cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  double resident = resident_kb("self");
  std::size_t threads = threads_of("self");

  Usage() {
    for (const int pid : test::worker_processes()) {
      clockid_t clock{};
      QYLON_CHECK(::clock_getcpuclockid(pid, &clock) == 0);
      cpu_s += seconds_of(clock);
      resident += resident_kb(std::to_string(pid));
      threads += threads_of(std::to_string(pid));
    }
  }
};

class Workers {
 public:
  struct Live {
    std::shared_ptr<DecodingTrack> track;
    std::shared_ptr<TrackUplink> uplink;
  };
  Live open() {
    Live live{std::make_shared<DecodingTrack>(), nullptr};
    live.uplink =
        service_
            .attach({meeting_, ++opened_, clock_id_},
                    kStream,
                    [track = live.track](const AudioFormat& /*format*/, Stream::Opened opened) {
                      opened(std::shared_ptr<TrackUplink>(track));
                    })
            .value();
    return live;
  }
  static void post(const Live& live, const Bytes& piece) {
    UplinkFrame frame;
    frame.seq = live.uplink->next_seq();
    frame.payload = piece;
    QYLON_CHECK(live.uplink->post(std::move(frame)) == TrackUplink::Posted::kAccepted);
  }
  /// Polls until `live` has decoded so much.
  static void wait_for(const Live& live, double decoded_s) {
    const double until = seconds_of(CLOCK_MONOTONIC) + 30.0;
    while (live.track->decoded_s() < decoded_s) {
      QYLON_CHECK(live.uplink->refusal().empty() && seconds_of(CLOCK_MONOTONIC) < until);
      const timespec pause{0, 20'000};
      ::nanosleep(&pause, nullptr);
    }
  }

 private:
  SystemClock clock_;
  Log log_{clock_, LogLevel::kError};
  Counters counters_;
  const MeetingId meeting_ = MeetingId::random();
  const ClockId clock_id_ = ClockId::random();
  TrackId opened_ = 0;
  StreamService service_{{.streams_max = 4096}, {log_, counters_, clock_}};
};

// --- Measurements ---

struct KernelCost {
  double ms = 0.0;           ///< CPU per stream-second.
  double pipeline_ms = 0.0;  ///< The peer's.
};

KernelCost measure_kernels(const std::vector<Bytes>& pieces,
                           std::size_t streams,
                           double length_s,
                           const Peer& peer) {
  std::vector<double> ours;
  std::vector<double> theirs;
  for (int round = 0; round < kRounds; ++round) {
    theirs.push_back(peer.measure() * 1e3 / (kPipelines * length_s));
    std::vector<std::unique_ptr<DirectStream>> open(streams);
    const double begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    for (auto& stream : open)
      stream = std::make_unique<DirectStream>();
    const std::size_t count = std::min<std::size_t>(pieces.size(), 30);
    for (std::size_t index = 0; index < count; ++index)
      for (auto& stream : open)
        stream->push(pieces[index]);
    const double seconds = static_cast<double>(streams) * open.front()->decoded_s();
    ours.push_back((seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin) * 1e3 / seconds);
  }
  return {median(ours), median(theirs)};
}

double first_sound_of_kernels_ms(const Bytes& first) {
  std::vector<double> waits;
  for (int i = 0; i < 51; ++i) {
    const double begin = seconds_of(CLOCK_MONOTONIC);
    DirectStream stream;
    stream.push(first);
    waits.push_back((seconds_of(CLOCK_MONOTONIC) - begin) * 1e3);
    QYLON_CHECK(stream.decoded_s() > 0.0);
  }
  return median(waits);
}

double first_sound_of_workers_ms(Workers& workers, const Bytes& first) {
  std::vector<double> waits;
  for (int i = 0; i < 51; ++i) {
    const double begin = seconds_of(CLOCK_MONOTONIC);
    const auto live = workers.open();
    Workers::post(live, first);
    Workers::wait_for(live, 0.02);
    waits.push_back((seconds_of(CLOCK_MONOTONIC) - begin) * 1e3);
  }
  return median(waits);
}

struct LiveCost {
  double ms = 0.0;  ///< CPU of all processes per stream-second.
  double kb = 0.0;  ///< Resident, per stream.
  std::size_t threads = 0;
};

/// Every stream gets its next piece every 100 ms, a few streams at a time.
LiveCost measure_workers(Workers& workers, const std::vector<Bytes>& pieces, std::size_t streams) {
  const Usage before;
  std::vector<Workers::Live> live(streams);
  for (auto& stream : live)
    stream = workers.open();
  const std::size_t count = std::min<std::size_t>(pieces.size(), kRealTimePieces);
  timespec due{};
  ::clock_gettime(CLOCK_MONOTONIC, &due);
  const std::size_t steps = kPieceMs / 2;
  for (std::size_t index = 0; index < count; ++index) {
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t i = step; i < streams; i += steps)
        Workers::post(live[i], pieces[index]);
      due.tv_nsec += 2'000'000;
      due.tv_sec += due.tv_nsec / 1'000'000'000;
      due.tv_nsec %= 1'000'000'000;
      ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr);
    }
  }
  const double length_s = static_cast<double>(count) * kPieceMs * 1e-3;
  for (const auto& stream : live)
    Workers::wait_for(stream, 0.9 * length_s);
  const Usage after;
  double decoded_s = 0.0;
  for (const auto& stream : live)
    decoded_s += stream.track->decoded_s();
  return {(after.cpu_s - before.cpu_s) * 1e3 / decoded_s,
          (after.resident - before.resident) / static_cast<double>(streams),
          after.threads};
}

bool report(std::size_t streams) {
  const test::TemporaryDirectory directory{test::memory_directory()};
  const std::string path = directory.path() + "/speech.webm";
  const Peer peer(path);
  QYLON_CHECK(load_stream_plugins());
  const std::vector<Bytes> pieces = read_pieces(path);
  DirectStream whole;
  for (const Bytes& piece : pieces)
    whole.push(piece);
  const double cores = static_cast<double>(streams) * 1e-3;
  std::printf("%zu WebM streams of 20 ms packets, %.1f s, in %zu pieces\n",
              streams,
              whole.decoded_s(),
              pieces.size());

  // First, because memory that others leave free would be taken again.
  Workers workers;
  const auto warm = workers.open();
  Workers::post(warm, pieces.front());
  Workers::wait_for(warm, 0.02);
  const LiveCost live = measure_workers(workers, pieces, streams);
  const double workers_first = first_sound_of_workers_ms(workers, pieces.front());
  const KernelCost kernels = measure_kernels(pieces, streams, whole.decoded_s(), peer);
  const double kernels_first = first_sound_of_kernels_ms(pieces.front());
  std::printf("kernels   %.3f ms CPU per stream-second, %.2f of a core; first sound %.2f ms\n",
              kernels.ms,
              kernels.ms * cores,
              kernels_first);
  std::printf(
      "workers   %.3f ms CPU per stream-second, %.2f of a core; first sound %.2f ms; %.0f kB per "
      "stream; %zu threads\n",
      live.ms,
      live.ms * cores,
      workers_first,
      live.kb,
      live.threads);
  std::printf(
      "pipeline  %.3f ms CPU per stream-second; kernels / pipeline %.3f, workers / pipeline "
      "%.3f\n",
      kernels.pipeline_ms,
      kernels.ms / kernels.pipeline_ms,
      live.ms / kernels.pipeline_ms);

  const std::size_t threads_max = 2 + 2 * std::thread::hardware_concurrency();
  const std::array held{
      verdict(kernels.ms * cores <= 0.6, "kernels: all streams <= 0.6 of a core"),
      verdict(live.ms * cores <= 0.6, "workers: all streams <= 0.6 of a core"),
      verdict(live.kb <= 120.0, "a stream <= 120 kB"),
      verdict(kernels_first <= 2.0, "kernels: first sound <= 2 ms"),
      verdict(workers_first <= 2.0, "workers: first sound <= 2 ms"),
      verdict(live.threads <= threads_max, "threads <= 2 + 2 per core"),
      verdict(kernels.ms <= 0.25 * kernels.pipeline_ms, "kernels <= 0.25x the pipeline"),
  };
  return std::ranges::all_of(held, [](bool holds) { return holds; });
}

}  // namespace
}  // namespace qylon::media

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], qylon::media::kStreamZygoteSubcommand) == 0)
    return qylon::media::run_stream_zygote();
  const int streams = argc > 1 ? std::atoi(argv[1]) : 500;
  return qylon::media::report(static_cast<std::size_t>(streams)) ? 0 : 1;
}
