#include "models/websocket_recogniser.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <pthread.h>

#include "core/sync.hpp"
#include "models/speech_budget.hpp"
#include "models/websocket_stream.hpp"

namespace qylon::models {
namespace {

constexpr std::chrono::milliseconds kTendEvery{200};

bool is_websocket_url(std::string_view url) {
  return url.starts_with("ws://") || url.starts_with("wss://");
}

}  // namespace

/// The open streams of all sessions.
class WebSocketStreams {
 public:
  WebSocketStreams(WebSocketRecogniser::Options options, const WebSocketRecogniser::Deps& deps)
      : options_(std::move(options)),
        connector_(deps.connector),
        clock_(deps.clock),
        segments_(deps.counters.counter("qylon_recogniser_websocket_segments_total",
                                        "Segments sent to the recogniser's WebSocket server.")) {}

  std::shared_ptr<WebSocketStream> open(std::uint64_t segment,
                                        std::int64_t start_sample,
                                        const std::vector<std::string>& vocabulary,
                                        const std::shared_ptr<RecogniserSink>& sink)
      QYLON_EXCLUDES(mutex_) {
    auto dialect =
        options_.engine == "vosk-ws" ? make_vosk_dialect(vocabulary) : make_sherpa_dialect();
    auto stream = std::make_shared<WebSocketStream>(
        WebSocketStream::Options{
            segment, start_sample, options_.engine, options_.language, options_.timeout_ms},
        std::move(dialect),
        sink,
        clock_);
    segments_.add();
    const bool taken = keep(stream);
    if (taken) {
      stream->connect(connector_, options_.url);
    } else {
      stream->fail("too many segments are open at the recogniser's server");
    }
    return stream;
  }

  /// Body of the engine's thread: ends what takes too long and closes what is done.
  void run() QYLON_EXCLUDES(mutex_) {
    while (wait_a_moment()) {
      std::vector<std::shared_ptr<WebSocketStream>> streams = snapshot();
      std::erase_if(streams, [](const auto& stream) { return !stream->tend(); });
      for (const auto& stream : streams)
        stream->take_channel();
      const MutexLock lock(mutex_);
      std::erase_if(streams_, [&](const auto& stream) {
        return std::find(streams.begin(), streams.end(), stream) != streams.end();
      });
    }
    for (const auto& stream : snapshot()) {
      stream->abandon();
      stream->take_channel();
    }
  }

  void stop() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }

  std::int64_t waiting_samples() const QYLON_EXCLUDES(mutex_) {
    std::int64_t waiting = 0;
    for (const auto& stream : snapshot())
      waiting += stream->waiting_samples();
    return waiting;
  }

 private:
  bool keep(const std::shared_ptr<WebSocketStream>& stream) QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (stop_ || streams_.size() >= options_.segments_max) return false;
    streams_.push_back(stream);
    return true;
  }

  std::vector<std::shared_ptr<WebSocketStream>> snapshot() const QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return streams_;
  }

  bool wait_a_moment() QYLON_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (!stop_) changed_.wait_for(mutex_, kTendEvery);
    return !stop_;
  }

  const WebSocketRecogniser::Options options_;  // Constant after construction.
  MessageConnector& connector_;
  const Clock& clock_;
  Counter& segments_;
  mutable Mutex mutex_;
  Condition changed_;
  bool stop_ QYLON_GUARDED_BY(mutex_) = false;
  std::vector<std::shared_ptr<WebSocketStream>> streams_ QYLON_GUARDED_BY(mutex_);
};

namespace {

class WebSocketSession final : public RecogniserSession {
 public:
  WebSocketSession(std::shared_ptr<WebSocketStreams> streams,
                   std::vector<std::string> vocabulary,
                   std::shared_ptr<RecogniserSink> sink)
      : streams_(std::move(streams)), vocabulary_(std::move(vocabulary)), sink_(std::move(sink)) {}
  ~WebSocketSession() override {
    for (const auto& weak : opened_) {
      if (const auto stream = weak.lock()) stream->abandon();
    }
  }
  WebSocketSession(const WebSocketSession&) = delete;
  WebSocketSession& operator=(const WebSocketSession&) = delete;
  WebSocketSession(WebSocketSession&&) = delete;
  WebSocketSession& operator=(WebSocketSession&&) = delete;

  void begin_segment(std::uint64_t segment,
                     std::int64_t start_sample,
                     std::string_view /*speaker_key*/) override {
    std::erase_if(opened_, [](const auto& weak) { return weak.expired(); });
    stream_ = streams_->open(segment, start_sample, vocabulary_, sink_);
    opened_.push_back(stream_);
  }
  void push(std::span<const float> samples) override { stream_->push(samples); }
  void end_segment(std::int64_t end_sample) override {
    stream_->end(end_sample);
    stream_.reset();
  }

 private:
  const std::shared_ptr<WebSocketStreams> streams_;
  const std::vector<std::string> vocabulary_;
  const std::shared_ptr<RecogniserSink> sink_;
  std::shared_ptr<WebSocketStream> stream_;  // The open segment's.
  std::vector<std::weak_ptr<WebSocketStream>> opened_;
};

}  // namespace

Result<std::unique_ptr<WebSocketRecogniser>> WebSocketRecogniser::create(Options options,
                                                                         const Deps& deps) {
  if (options.engine != "vosk-ws" && options.engine != "sherpa-ws") {
    return Error{
        ErrorCode::kInvalidArgument,
        "no WebSocket engine is called '" + options.engine + "'; use vosk-ws or sherpa-ws"};
  }
  if (!is_websocket_url(options.url)) {
    return Error{ErrorCode::kInvalidArgument,
                 "the " + options.engine + " address '" + options.url +
                     "' must begin with ws:// or wss://, e.g. ws://127.0.0.1:2700"};
  }
  return std::unique_ptr<WebSocketRecogniser>(new WebSocketRecogniser(std::move(options), deps));
}

WebSocketRecogniser::WebSocketRecogniser(Options options, const Deps& deps)
    : options_(std::move(options)),
      streams_(std::make_shared<WebSocketStreams>(options_, deps)),
      thread_([streams = streams_] {
        ::pthread_setname_np(::pthread_self(), "recogniser");
        streams->run();
      }) {}

WebSocketRecogniser::~WebSocketRecogniser() {
  streams_->stop();
  thread_.join();
}

RecogniserCaps WebSocketRecogniser::caps() const {
  RecogniserCaps caps;
  caps.engine = options_.engine;
  caps.partials = true;
  caps.word_times = true;
  caps.vocabulary = options_.engine == "vosk-ws";
  caps.language = options_.language;
  caps.concurrency_max = static_cast<int>(options_.segments_max);
  return caps;
}

std::int64_t WebSocketRecogniser::lag_ms() const {
  return samples_to_ms(streams_->waiting_samples());
}

std::unique_ptr<RecogniserSession> WebSocketRecogniser::open(
    const RecogniserSessionOptions& options,
    std::shared_ptr<RecogniserSink> sink) {
  return std::make_unique<WebSocketSession>(streams_, options.vocabulary, std::move(sink));
}

}  // namespace qylon::models
