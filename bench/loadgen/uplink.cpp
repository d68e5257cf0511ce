#include "bench/loadgen/uplink.hpp"

namespace qylon::loadgen {

using realtime::UplinkClient;
using realtime::UplinkReply;

Result<std::unique_ptr<Uplink>> Uplink::create(const Options& options, const Parts& parts) {
  std::unique_ptr<Uplink> uplink(new Uplink(options, parts));
  auto client = UplinkClient::create(options.client, uplink->connector_, parts.clock);
  if (!client) return client.error();
  uplink->client_ = *std::move(client);
  return uplink;
}

Uplink::Uplink(const Options& options, const Parts& parts)
    : options_(options),
      parts_(parts),
      connector_(
          parts.connector,
          {.sent = [this](std::span<const std::uint8_t> bytes) { on_sent(bytes); },
           .heard = [this](std::string_view text) { on_heard(text); },
           .closed = [this](int code) { write("closed", static_cast<std::uint64_t>(code)); }}),
      oracle_(options.name) {}

void Uplink::write(std::string_view what, std::uint64_t n) {
  parts_.log.write(parts_.clock.monotonic_us(), options_.name, what, n);
}

void Uplink::step() {
  const std::int64_t now_us = parts_.clock.monotonic_us();
  if (now_us < options_.first_us) return;
  while (!finished_ && client_->state() < UplinkClient::State::kClosing &&
         options_.start_us + static_cast<std::int64_t>(offered_) * SpeechLoop::kPacketUs <=
             now_us) {
    const std::uint64_t capture_us = offered_ * static_cast<std::uint64_t>(SpeechLoop::kPacketUs);
    if (!client_->offer({.payload = parts_.speech.packet(offered_),
                         .capture_us = capture_us,
                         .duration_us = SpeechLoop::kPacketUs}))
      break;
    ++offered_;
  }
  client_->step();
}

void Uplink::finish() {
  finished_ = true;
  client_->finish();
}

bool Uplink::done() const noexcept {
  return client_->state() >= UplinkClient::State::kDone;
}

UplinkOracle Uplink::oracle() const {
  const MutexLock lock(mutex_);
  return oracle_;
}

void Uplink::on_sent(std::span<const std::uint8_t> bytes) {
  const auto frame = media::parse_uplink(bytes);
  if (!frame) return;
  write("sent", frame->seq);
  const MutexLock lock(mutex_);
  oracle_.on_sent(frame->seq, parts_.clock.monotonic_us());
}

void Uplink::on_heard(std::string_view text) {
  const auto reply = realtime::parse_uplink_reply(text, track());
  if (!reply) return;
  const std::int64_t now_us = parts_.clock.monotonic_us();
  {
    const MutexLock lock(mutex_);
    oracle_.on_reply(*reply, now_us);
  }
  if (reply->kind == UplinkReply::Kind::kWelcome) write("welcome", reply->next_seq);
  if (reply->kind == UplinkReply::Kind::kError)
    write("retry_ms", static_cast<std::uint64_t>(reply->retry_after_ms));
  if (reply->kind != UplinkReply::Kind::kAck) return;
  write("settled", reply->next_seq);
  if (reply->durable) {
    write("durable", *reply->durable);
  } else {
    write("undurable", reply->next_seq);
  }
}

}  // namespace qylon::loadgen
