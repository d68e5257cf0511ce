#pragma once
/// The stock GStreamer pipeline for WebM/Opus, to be measured beside the product. It runs in a
/// process of its own, because the product loads a few of GStreamer's plugins only.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/check.hpp"
#include "core/unique_fd.hpp"
#include "tests/support/stream_files.hpp"

namespace qylon::bench {

using Bytes = std::vector<std::uint8_t>;

inline constexpr int kPipelines = 4;

inline double seconds_of(clockid_t clock) {
  timespec now{};
  QYLON_CHECK(::clock_gettime(clock, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

inline GstElement* launch(const std::string& line) {
  GError* error = nullptr;
  GstElement* const pipeline = gst_parse_launch(line.c_str(), &error);
  if (error != nullptr) std::fprintf(stderr, "%s\n", error->message);
  QYLON_CHECK(pipeline != nullptr && error == nullptr);
  return pipeline;
}

/// Waits for the end of what flows through and lets go of it.
inline void finish(GstElement* pipeline) {
  GstBus* const bus = gst_element_get_bus(pipeline);
  const auto wanted = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  GstMessage* const message = gst_bus_timed_pop_filtered(bus, 60 * GST_SECOND, wanted);
  QYLON_CHECK(message != nullptr && message->type == GST_MESSAGE_EOS);
  gst_message_unref(message);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

/// Debian's pocketsphinx-testdata (five spoken cards) as MediaRecorder would send it: clusters of
/// 100 ms of unknown length; 20 ms packets, which cost more than a browser's 60 ms.
inline void write_webm(const std::string& path) {
  std::string line =
      "concat name=all ! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=1"
      " ! opusenc bitrate=24000 frame-size=20 ! webmmux streamable=true"
      " min-cluster-duration=100000000 max-cluster-duration=100000000 ! filesink location=" +
      path;
  for (int card = 1; card <= 5; ++card)
    line += " filesrc location=/usr/share/pocketsphinx/test/data/cards/00" + std::to_string(card) +
            ".wav ! wavparse ! all.";
  GstElement* const pipeline = launch(line);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  finish(pipeline);
}

inline void run_pipeline(const std::vector<Bytes>& pieces) {
  GstElement* const pipeline = launch(
      "appsrc name=src format=bytes caps=audio/webm ! matroskademux ! opusdec ! audioconvert"
      " ! audioresample ! audio/x-raw,format=F32LE,rate=16000,channels=1 ! fakesink sync=false");
  auto* const source =
      reinterpret_cast<GstAppSrc*>(gst_bin_get_by_name(reinterpret_cast<GstBin*>(pipeline), "src"));
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  for (const Bytes& piece : pieces)
    gst_app_src_push_buffer(source, gst_buffer_new_memdup(piece.data(), piece.size()));
  gst_app_src_end_of_stream(source);
  gst_object_unref(source);
  finish(pipeline);
}

/// The file cut where its clusters begin: what MediaRecorder sends at once.
inline std::vector<Bytes> read_pieces(const std::string& path) {
  const Bytes bytes = test::read_bytes(path);
  constexpr std::array<std::uint8_t, 4> kCluster{0x1F, 0x43, 0xB6, 0x75};
  std::vector<Bytes> pieces;
  auto begin = bytes.begin();
  while (begin != bytes.end()) {
    const bool first = pieces.empty();  // The header goes with its first cluster.
    auto from = first ? std::search(begin, bytes.end(), kCluster.begin(), kCluster.end()) : begin;
    if (from != bytes.end()) ++from;
    const auto end = std::search(from, bytes.end(), kCluster.begin(), kCluster.end());
    pieces.emplace_back(begin, end);
    begin = end;
  }
  return pieces;
}

class Peer {
 public:
  /// Makes the file at `path` too.
  explicit Peer(const std::string& path) {
    std::array<int, 2> to{};
    std::array<int, 2> from{};
    QYLON_CHECK(::pipe(to.data()) == 0 && ::pipe(from.data()) == 0);
    child_ = ::fork();
    QYLON_CHECK(child_ >= 0);
    ask_ = UniqueFd(to[child_ == 0 ? 0 : 1]);
    answer_ = UniqueFd(from[child_ == 0 ? 1 : 0]);
    ::close(to[child_ == 0 ? 1 : 0]);
    ::close(from[child_ == 0 ? 0 : 1]);
    if (child_ == 0) serve(path);
    static_cast<void>(measure());  // The file is there, and everything is loaded.
  }
  ~Peer() {
    ask_ = UniqueFd();
    ::waitpid(child_, nullptr, 0);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  Peer(Peer&&) = delete;
  Peer& operator=(Peer&&) = delete;

  /// CPU seconds of kPipelines whole streams, one after the other.
  double measure() const {
    double seconds = 0.0;
    QYLON_CHECK(::write(ask_.get(), "?", 1) == 1);
    QYLON_CHECK(::read(answer_.get(), &seconds, sizeof seconds) == sizeof seconds);
    return seconds;
  }

 private:
  [[noreturn]] void serve(const std::string& path) const {
    gst_init(nullptr, nullptr);
    write_webm(path);
    const std::vector<Bytes> pieces = read_pieces(path);
    for (char request = 0; ::read(ask_.get(), &request, 1) == 1;) {
      const double begin = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
      for (int i = 0; i < kPipelines; ++i)
        run_pipeline(pieces);
      const double used = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - begin;
      if (::write(answer_.get(), &used, sizeof used) != sizeof used) break;
    }
    std::_Exit(0);
  }

  UniqueFd ask_;
  UniqueFd answer_;
  pid_t child_ = -1;
};

}  // namespace qylon::bench
