#include "bench/loadgen/uplink_oracle.hpp"

#include <algorithm>

namespace qylon::loadgen {

using realtime::UplinkReply;

void UplinkOracle::on_sent(std::uint64_t seq, std::int64_t now_us) {
  if (seq < sent_) ++again_;
  sent_ = std::max(sent_, seq + 1);
  for (auto* queue : {&not_settled_, &not_durable_}) {
    // Sent again: everything from here on is under way anew.
    while (!queue->empty() && queue->back().seq >= seq)
      queue->pop_back();
    queue->push_back({seq, now_us});
  }
}

void UplinkOracle::on_reply(const UplinkReply& reply, std::int64_t now_us) {
  if (reply.kind == UplinkReply::Kind::kWelcome) on_welcome(reply.next_seq);
  if (reply.kind == UplinkReply::Kind::kAck) on_ack(reply, now_us);
}

void UplinkOracle::on_welcome(std::uint64_t next_seq) {
  ++welcomes_;
  settled_ = next_seq;
  durable_here_ = 0;
  if (next_seq > sent_) {
    findings_.add(name_ + ": the welcome asks for " + std::to_string(next_seq) + " after " +
                  std::to_string(sent_) + " frames");
  }
}

void UplinkOracle::on_ack(const UplinkReply& ack, std::int64_t now_us) {
  const std::uint64_t named = std::max(ack.next_seq, ack.durable.value_or(0));
  if (named > sent_) {
    findings_.add(name_ + ": acknowledged " + std::to_string(named) + " of " +
                  std::to_string(sent_) + " frames");
  }
  if (ack.next_seq < settled_ || ack.durable.value_or(durable_here_) < durable_here_) {
    findings_.add(name_ + ": an acknowledgement went back to " + std::to_string(ack.next_seq));
  }
  settled_ = ack.next_seq;
  for (; !not_settled_.empty() && not_settled_.front().seq < settled_; not_settled_.pop_front())
    settle_times_.add(now_us - not_settled_.front().us);
  if (!ack.durable) {
    ++disk_away_;
    return;
  }
  durable_here_ = *ack.durable;
  durable_ = std::max(durable_, durable_here_);
  for (; !not_durable_.empty() && not_durable_.front().seq < durable_here_;
       not_durable_.pop_front())
    durable_times_.add(now_us - not_durable_.front().us);
}

}  // namespace qylon::loadgen
