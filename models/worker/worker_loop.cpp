#include "models/worker/worker_loop.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/resource.h>
#include <sys/socket.h>

#include "core/worker/socket_io.hpp"
#include "models/recogniser.hpp"

namespace qylon::models {
namespace {

constexpr rlim_t kCpuBaseSeconds = 20;
constexpr rlim_t kCpuPerAudioSecond = 4;

/// Lets the process use `kCpu...` more seconds from now; a decoder that spins dies of SIGXCPU.
void grant_cpu_time(std::size_t samples) {
  rusage used{};
  rlimit limit{};
  if (::getrusage(RUSAGE_SELF, &used) != 0 || ::getrlimit(RLIMIT_CPU, &limit) != 0) return;
  const auto audio_s = static_cast<rlim_t>(samples / kRecogniserRateHz);
  const auto used_s = static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
  limit.rlim_cur = used_s + kCpuBaseSeconds + kCpuPerAudioSecond * audio_s;
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_cur > limit.rlim_max)
    limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_CPU, &limit);
}

class WorkerLoop {
 public:
  WorkerLoop(int fd, SegmentDecoder& decoder) : fd_(fd), decoder_(decoder) {}

  void run() {
    if (!answer(ControlFrame::kReady, "")) return;
    std::array<char, 65536> buffer{};
    for (;;) {
      const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return;
      reader_.append({buffer.data(), static_cast<std::size_t>(got)});
      if (!drain()) return;
    }
  }

 private:
  bool drain() {
    for (;;) {
      auto frame = reader_.next();
      if (!frame) return false;
      if (!frame->has_value()) return true;
      if (!handle(**frame)) return false;
    }
  }

  bool answer(FrameType type, std::string_view payload) {
    std::string bytes;
    append_frame(bytes, type, payload);
    return write_all(fd_, bytes);
  }

  bool handle(const Frame& frame) {
    switch (frame.type) {
      case DecodeFrame::kVocabulary:
        return on_vocabulary(frame.payload);
      case DecodeFrame::kBegin:
        return on_begin(frame.payload);
      case DecodeFrame::kAudio:
        return on_audio(frame.payload);
      case DecodeFrame::kListen:
        return on_listen();
      case DecodeFrame::kFinish:
        return on_finish(frame.payload);
      case DecodeFrame::kAbandon:
        return on_abandon();
      default:
        return false;
    }
  }

  bool on_vocabulary(std::string_view payload) {
    const auto phrases = parse_phrases(payload);
    if (!phrases) return false;
    grant_cpu_time(0);
    skipped_words_ += decoder_.set_vocabulary(*phrases);
    return true;
  }

  bool on_begin(std::string_view payload) {
    const auto setup = parse_setup(payload);
    if (!setup) return false;
    clear();
    live_ = setup->live;
    decoder_.begin(*setup);
    return true;
  }

  bool on_audio(std::string_view payload) {
    const std::size_t fresh = payload.size() / sizeof(std::int16_t);
    const std::size_t before = samples_.size();
    if (payload.size() % sizeof(std::int16_t) != 0 || before + fresh > kWorkerSegmentSamplesMax)
      return false;
    samples_.resize(before + fresh);
    std::memcpy(samples_.data() + before, payload.data(), payload.size());
    fresh_ += fresh;
    return true;
  }

  bool on_listen() {
    if (!live_) return false;
    grant_cpu_time(samples_.size());
    Decoded partial;
    partial.words = decoder_.advance(samples_, std::exchange(fresh_, 0));
    return answer(DecodeFrame::kPartial, encode_decoded(partial));
  }

  bool on_finish(std::string_view payload) {
    PayloadReader reader(payload);
    std::uint32_t count = 0;
    if (!reader.value(count) || !reader.at_end() || count > samples_.size()) return false;
    grant_cpu_time(count);
    auto decoded = decoder_.finish(std::span(samples_).first(count));
    if (!decoded) return false;
    decoded->skipped_words = std::exchange(skipped_words_, 0);
    clear();
    return answer(DecodeFrame::kFinal, encode_decoded(*decoded));
  }

  bool on_abandon() {
    decoder_.abandon();
    clear();
    return true;
  }

  void clear() {
    samples_.clear();
    fresh_ = 0;
    live_ = false;
  }

  const int fd_;
  SegmentDecoder& decoder_;
  FrameReader reader_;
  std::vector<std::int16_t> samples_;
  std::size_t fresh_ = 0;  // Samples since the last kListen.
  std::uint32_t skipped_words_ = 0;
  bool live_ = false;
};

}  // namespace

void serve_decoder(int fd, SegmentDecoder& decoder) {
  WorkerLoop(fd, decoder).run();
}

}  // namespace qylon::models
