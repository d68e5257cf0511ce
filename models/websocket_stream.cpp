#include "models/websocket_stream.hpp"

#include <algorithm>
#include <utility>

#include "models/pcm16.hpp"
#include "models/speech_budget.hpp"

namespace qylon::models {
namespace {

constexpr std::size_t kPieceSamples = kRecogniserRateHz / 5;  // What the servers' clients send.
constexpr std::int64_t kSegmentSamplesMax = 60LL * kRecogniserRateHz;

std::size_t agreed(const std::vector<std::string>& before, const std::vector<Word>& now) {
  std::size_t count = 0;
  while (count + 1 < now.size() && count < before.size() && before[count] == now[count].text)
    ++count;
  return count;
}

}  // namespace

WebSocketStream::WebSocketStream(Options options,
                                 std::unique_ptr<WebSocketDialect> dialect,
                                 std::shared_ptr<RecogniserSink> sink,
                                 const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      dialect_(std::move(dialect)),
      sink_(std::move(sink)) {}

MessageChannel::Events WebSocketStream::events() {
  // Weak: the stream owns the channel, and the channel these.
  const std::weak_ptr<WebSocketStream> weak = weak_from_this();
  MessageChannel::Events events;
  events.on_open = [weak] {
    if (const auto stream = weak.lock()) stream->on_open();
  };
  events.on_text = [weak](std::string_view text) {
    if (const auto stream = weak.lock()) stream->on_text(text);
  };
  events.on_binary = [weak](std::span<const std::uint8_t>) {
    if (const auto stream = weak.lock()) stream->fail("the server sent binary data");
  };
  events.on_close = [weak](int code, std::string_view reason) {
    if (const auto stream = weak.lock()) stream->on_close(code, reason);
  };
  return events;
}

void WebSocketStream::connect(MessageConnector& connector, const std::string& url) {
  MessageChannel::Options options;
  options.url = url;
  auto channel = connector.connect(std::move(options), events());
  const MutexLock lock(mutex_);
  if (!channel) {
    break_off(channel.error().message);
    return;
  }
  channel_ = std::move(*channel);
  if (state_ == State::kOpen) send_pending();  // It opened before we held it.
}

void WebSocketStream::on_open() {
  const MutexLock lock(mutex_);
  if (state_ != State::kConnecting) return;
  state_ = State::kOpen;
  if (channel_ != nullptr) send_pending();
}

void WebSocketStream::push(std::span<const float> samples) {
  const MutexLock lock(mutex_);
  if (state_ == State::kDone || state_ == State::kBroken || ended_) return;
  received_samples_ += static_cast<std::int64_t>(samples.size());
  append_pcm16(samples, pending_);
  if (static_cast<std::int64_t>(pending_.size()) > kSegmentSamplesMax) {
    break_off("the server did not take the audio in time");
  } else if (state_ == State::kOpen && channel_ != nullptr && pending_.size() >= kPieceSamples) {
    send_pending();
  }
}

void WebSocketStream::send_pending() {
  if (!std::exchange(greeted_, true) && !dialect_->greeting().empty())
    channel_->send_text(dialect_->greeting());
  std::size_t at = 0;
  while (pending_.size() - at >= kPieceSamples || (ended_ && at < pending_.size())) {
    const std::size_t count = std::min(kPieceSamples, pending_.size() - at);
    const std::string bytes = dialect_->encode(std::span(pending_).subspan(at, count));
    if (!channel_->send_binary(
            {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()})) {
      break_off("the server takes audio slower than it is spoken");
      return;
    }
    at += count;
    sent_samples_ += static_cast<std::int64_t>(count);
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(at));
  if (ended_) send_farewell();
}

void WebSocketStream::send_farewell() {
  if (!channel_->send_text(dialect_->farewell()))
    break_off("the connection closed before the segment's end");
}

void WebSocketStream::end(std::int64_t end_sample) {
  const MutexLock lock(mutex_);
  if (state_ == State::kDone || ended_) return;
  ended_ = true;
  kept_samples_ =
      std::clamp<std::int64_t>(end_sample - options_.start_sample, 0, received_samples_);
  deadline_us_ = clock_.monotonic_us() + options_.timeout_ms * 1000;
  if (state_ == State::kBroken) {
    break_off(failure_);
  } else if (kept_samples_ == 0) {
    report(RecogniserResult::Kind::kFinal, "");
  } else if (state_ == State::kOpen && channel_ != nullptr) {
    send_pending();
  }
}

void WebSocketStream::on_text(std::string_view text) {
  const MutexLock lock(mutex_);
  if (state_ != State::kOpen) return;
  switch (dialect_->hear(text, samples_to_ms(sent_samples_))) {
    case WebSocketDialect::Heard::kNothing:
      break;
    case WebSocketDialect::Heard::kPartial:
      report(RecogniserResult::Kind::kPartial, "");
      break;
    case WebSocketDialect::Heard::kComplete:
      if (ended_) {
        report(RecogniserResult::Kind::kFinal, "");
      } else {
        break_off("the server ended before the segment did");
      }
      break;
    case WebSocketDialect::Heard::kBroken:
      break_off("the server sent what is not in its protocol");
      break;
  }
}

void WebSocketStream::on_close(int code, std::string_view reason) {
  const MutexLock lock(mutex_);
  if (state_ == State::kOpen && ended_ && dialect_->close_completes()) {
    report(RecogniserResult::Kind::kFinal, "");
    return;
  }
  break_off("the connection to " + options_.engine + " closed with " + std::to_string(code) + " " +
            std::string(reason.substr(0, 200)));
}

void WebSocketStream::fail(std::string_view reason) {
  const MutexLock lock(mutex_);
  break_off(std::string(reason));
}

void WebSocketStream::abandon() {
  const MutexLock lock(mutex_);
  sink_ = nullptr;
  state_ = State::kDone;
}

bool WebSocketStream::tend() {
  const MutexLock lock(mutex_);
  if (ended_ && state_ != State::kDone && clock_.monotonic_us() > deadline_us_) {
    break_off("the server did not answer within " + std::to_string(options_.timeout_ms) + " ms");
  }
  // A segment whose connection failed still waits for its end, to be answered only once.
  return state_ == State::kDone;
}

std::int64_t WebSocketStream::waiting_samples() const {
  const MutexLock lock(mutex_);
  return ended_ && state_ != State::kDone ? kept_samples_ : 0;
}

std::unique_ptr<MessageChannel> WebSocketStream::take_channel() {
  const MutexLock lock(mutex_);
  return std::move(channel_);
}

void WebSocketStream::break_off(std::string reason) {
  if (state_ == State::kDone) return;
  if (ended_) {
    report(RecogniserResult::Kind::kFailed, std::move(reason));
    return;
  }
  if (failure_.empty()) failure_ = std::move(reason);
  state_ = State::kBroken;
  pending_ = {};
}

/// Partials keep the stream going; a final or failed ends it.
void WebSocketStream::report(RecogniserResult::Kind kind, std::string reason) {
  if (state_ == State::kDone || sink_ == nullptr) return;
  RecogniserResult result;
  result.kind = kind;
  result.segment = options_.segment;
  result.language = options_.language;
  result.engine = options_.engine;
  result.reason = std::move(reason);
  if (kind != RecogniserResult::Kind::kFailed) result.words = words_on_sample_clock();
  if (kind == RecogniserResult::Kind::kPartial) {
    std::vector<std::string> texts;
    for (const Word& word : result.words)
      texts.push_back(word.text);
    if (texts.empty() || texts == last_words_) return;
    result.stable_words = agreed(last_words_, result.words);
    last_words_ = std::move(texts);
  } else {
    state_ = State::kDone;
    result.stable_words = result.words.size();
    pending_ = {};
  }
  result.revision = ++revision_;
  sink_->on_result(std::move(result));
}

std::vector<Word> WebSocketStream::words_on_sample_clock() const {
  const std::int64_t start_ms = samples_to_ms(options_.start_sample);
  const std::int64_t kept_ms = samples_to_ms(ended_ ? kept_samples_ : received_samples_);
  std::vector<Word> words;
  for (const DecodedWord& word : dialect_->words()) {
    if ((word.start_ms + word.end_ms) / 2 > kept_ms) continue;  // Said after the segment's end.
    words.push_back(
        {word.text,
         start_ms + word.start_ms,
         start_ms + std::min<std::int64_t>(std::max(word.start_ms, word.end_ms),
                                           std::max<std::int64_t>(kept_ms, word.start_ms)),
         word.confidence});
  }
  return words;
}

}  // namespace qylon::models
