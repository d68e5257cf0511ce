#include "bench/loadgen/viewer.hpp"

#include <algorithm>
#include <utility>

namespace qylon::loadgen {
namespace {

// A connection that a network forgot says nothing: it is asked, and then given up.
constexpr std::int64_t kPingAfterUs = 5'000'000;
constexpr std::int64_t kSilenceUsMax = 20'000'000;

}  // namespace

Viewer::Viewer(Options options, const Parts& parts)
    : options_(std::move(options)),
      parts_(parts),
      backoff_({.cap_ms = options_.backoff_ms_max, .seed = options_.seed}),
      due_us_(options_.first_us),
      oracle_(options_.name, options_.audio_zero_us, parts.all) {}

void Viewer::step() {
  if (closed_.exchange(false)) lose();
  if (opened_.exchange(false)) on_open();
  if (channel_) return watch_silence();
  if (parts_.clock.monotonic_us() >= due_us_) connect();
}

void Viewer::watch_silence() {
  const std::int64_t now_us = parts_.clock.monotonic_us();
  if (now_us - heard_us_ >= kSilenceUsMax) return lose();
  if (now_us - std::max<std::int64_t>(heard_us_, pinged_us_) < kPingAfterUs) return;
  pinged_us_ = now_us;
  channel_->send_text(R"({"type":"ping"})");
}

void Viewer::connect() {
  closed_ = false;
  opened_ = false;
  heard_us_ = parts_.clock.monotonic_us();
  retry_after_ms_ = 0;
  MessageChannel::Options options;
  options.url = options_.url;
  options.subprotocol = "qylon.v1";
  if (!options_.token.empty()) options.headers["Authorization"] = "Bearer " + options_.token;
  MessageChannel::Events events;
  events.on_open = [this] { opened_ = true; };
  events.on_text = [this](std::string_view text) { on_text(text); };
  events.on_close = [this](int code, std::string_view) { on_close(code); };
  auto channel = parts_.connector.connect(std::move(options), std::move(events));
  if (!channel) return lose();
  channel_ = *std::move(channel);
}

void Viewer::lose() {
  channel_.reset();
  due_us_ = parts_.clock.monotonic_us() + backoff_.next_ms(retry_after_ms_) * 1000;
}

void Viewer::on_open() {
  if (!channel_) return;
  const MutexLock lock(mutex_);
  channel_->send_text(print_subscribe(options_.meeting, oracle_.position(), options_.token));
}

void Viewer::on_text(std::string_view text) {
  const std::int64_t now_us = parts_.clock.monotonic_us();
  heard_us_ = now_us;
  const auto message = parse_viewer_message(text);
  const MutexLock lock(mutex_);
  if (!message) return garbage_.add(options_.name + ": " + message.error().message);
  oracle_.on_message(*message, now_us);
  if (message->kind == ViewerMessage::Kind::kFinal) {
    parts_.log.write(now_us, options_.name, "final", message->position.offset);
    parts_.log.write(now_us, options_.name, "end_ms", static_cast<std::uint64_t>(message->end_ms));
  }
  if (message->kind == ViewerMessage::Kind::kError) {
    retry_after_ms_ = message->retry_after_ms;
    parts_.log.write(
        now_us, options_.name, "retry_ms", static_cast<std::uint64_t>(message->retry_after_ms));
  }
  if (message->kind != ViewerMessage::Kind::kPosition) return;
  ++connections_;
  parts_.log.write(now_us, options_.name, "position", message->position.offset);
}

void Viewer::on_close(int code) {
  parts_.log.write(
      parts_.clock.monotonic_us(), options_.name, "closed", static_cast<std::uint64_t>(code));
  closed_ = true;
}

bool Viewer::has_all() const {
  const MutexLock lock(mutex_);
  return oracle_.position() && oracle_.position()->offset >= parts_.all.size();
}

Viewer::Report Viewer::report() const {
  const MutexLock lock(mutex_);
  Report report{.connections = connections_,
                .finals = oracle_.finals(),
                .interims = oracle_.interims(),
                .delays = oracle_.delays(),
                .spreads = oracle_.spreads(),
                .findings = oracle_.findings()};
  report.findings.add(garbage_);
  return report;
}

}  // namespace qylon::loadgen
