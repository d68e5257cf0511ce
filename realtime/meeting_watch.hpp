#pragma once
/// One subscriber's view of one meeting.

#include <array>
#include <cstdint>
#include <optional>

#include "realtime/caption_cursor.hpp"
#include "realtime/fanout.hpp"
#include "realtime/history.hpp"
#include "realtime/meeting_rings.hpp"
#include "realtime/subscribe_session.hpp"

namespace qylon::realtime {

/// Threads: its session's net thread.
class MeetingWatch final : public Subscription {
 public:
  MeetingWatch(SubscribeSession& session, MeetingId meeting, std::uint64_t id)
      : Subscription(meeting), session_(session), id_(id) {}
  ~MeetingWatch() override;

  /// Distinguishes this watch from an earlier one of the same meeting.
  std::uint64_t id() const noexcept { return id_; }
  bool has(Topic topic) const noexcept { return topics_[static_cast<std::size_t>(topic)]; }
  bool is_empty() const noexcept { return !topics_[0] && !topics_[1] && !topics_[2]; }
  std::size_t topic_count() const noexcept;

  /// Starts the topic, or starts it anew.
  void start(Topic topic, const std::optional<ResumeFrom>& from);
  void stop(Topic topic);

  /// Sends what may be sent now, and asks for what is missing.
  void pump();
  void on_page(const Result<History::Page>& page);

  Footprint<7> footprint() const noexcept override;
  void on_delivery(const Delivery& delivery) override;
  void on_finals_lost() override;

 private:
  void on_final(const Delivery& delivery);
  void send_status(const Frame& status);
  bool try_settle(const MeetingRings::Slice& slice);
  void settle(const Epoch& epoch, std::uint64_t last);
  void pump_finals();
  bool send_from_ring(const MeetingRings::Slice& slice);
  void ask(std::size_t limit);
  void retry_later(const Error& error);

  SubscribeSession& session_;
  const std::uint64_t id_;
  std::array<bool, 3> topics_{};         // By topic.
  std::optional<CaptionCursor> cursor_;  // While captions are wanted.
  bool live_ = false;                    // Every final so far was sent; the next comes pushed.
  bool status_due_ = false;              // The newest status was not sent yet.
  std::uint64_t history_last_ = 0;       // Newest offset that History spoke of.
  std::uint64_t seen_serial_ = 0;        // Interims up to here are older than what was sent.
  std::int64_t retry_us_ = 0;            // Not before this moment.
  std::int64_t failing_since_us_ = 0;    // 0: History answers.
  int attempt_ = 0;
};

}  // namespace qylon::realtime
