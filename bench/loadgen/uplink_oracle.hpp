#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "bench/loadgen/findings.hpp"
#include "bench/loadgen/percentiles.hpp"
#include "realtime/uplink_client_json.hpp"

namespace qylon::loadgen {

/// What one uplink sent and what the server said about it, held against docs/PROTOCOL.md: an
/// acknowledgement names nothing that was not sent, and does not go back while a connection lasts.
///
/// Bounds  : remembers the send times of frames that are not durable yet (the client keeps 60 s).
/// Threads : one at a time; its owner locks.
class UplinkOracle {
 public:
  explicit UplinkOracle(std::string name) : name_(std::move(name)) {}

  void on_sent(std::uint64_t seq, std::int64_t now_us);
  void on_reply(const realtime::UplinkReply& reply, std::int64_t now_us);

  std::uint64_t sent() const noexcept { return sent_; }            ///< Highest seq sent, plus one.
  std::uint64_t durable() const noexcept { return durable_; }      ///< Every seq below was durable.
  std::uint64_t frames_again() const noexcept { return again_; }   ///< Sent more than once.
  std::uint64_t disk_away() const noexcept { return disk_away_; }  ///< Acks with durable null.
  std::uint64_t welcomes() const noexcept { return welcomes_; }
  const Percentiles& settle_times() const noexcept { return settle_times_; }
  const Percentiles& durable_times() const noexcept { return durable_times_; }
  const Findings& findings() const noexcept { return findings_; }

 private:
  void on_welcome(std::uint64_t next_seq);
  void on_ack(const realtime::UplinkReply& ack, std::int64_t now_us);

  struct Sent {
    std::uint64_t seq = 0;
    std::int64_t us = 0;
  };
  const std::string name_;
  std::deque<Sent> not_settled_;  // In the order of seq.
  std::deque<Sent> not_durable_;
  std::uint64_t sent_ = 0;
  std::uint64_t settled_ = 0;  // By this connection.
  std::uint64_t durable_ = 0;  // By any.
  std::uint64_t durable_here_ = 0;
  std::uint64_t again_ = 0;
  std::uint64_t disk_away_ = 0;
  std::uint64_t welcomes_ = 0;
  Percentiles settle_times_;  // From a frame's last sending.
  Percentiles durable_times_;
  Findings findings_;
};

}  // namespace qylon::loadgen
