#pragma once
/// One connection on /v1/subscribe: position, the past, then live.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/token_bucket.hpp"
#include "realtime/admission.hpp"
#include "realtime/caption_cursor.hpp"
#include "realtime/fanout.hpp"
#include "realtime/history.hpp"
#include "realtime/session.hpp"
#include "realtime/session_json.hpp"

namespace qylon::realtime {

class MeetingWatch;

/// Finals are pulled: while a subscriber is behind, they come from the ring or from History in
/// small pages, the next one when the outbox has drained; once it has caught up they are pushed as
/// they are published. So a slow reader costs one page, not the meeting.
///
/// Bounds  : kTopicsMax topics; one question to History at a time.
/// Threads : its net thread; History may answer on any thread, through `executor`.
class SubscribeSession final : public Session,
                               public std::enable_shared_from_this<SubscribeSession> {
 public:
  SubscribeSession(SessionPort& port,
                   const SessionParts& parts,
                   SessionPeer peer,
                   std::shared_ptr<NetExecutor> executor);
  ~SubscribeSession() override;

  void on_text(std::string_view text) override;
  void on_binary(std::span<const std::uint8_t> bytes) override;
  void on_tick() override;
  bool identified() const noexcept override { return admission_.identified(); }
  void on_drained() override;

 private:
  friend class MeetingWatch;

  void on_subscribe(const SubscribeMessage& message);
  void start(const SubscribeMessage& message);
  void on_unsubscribe(const UnsubscribeMessage& message);
  MeetingWatch* find_watch(MeetingId meeting);
  std::size_t topic_count() const;
  /// Asks History for `watch`; the answer goes to the watch of that meeting if it still wants it.
  void ask_history(const MeetingWatch& watch, std::uint64_t after, std::size_t limit);
  void on_page(std::uint64_t asked_by, const Result<History::Page>& page);
  void pump_all();

  const std::shared_ptr<NetExecutor> executor_;
  Admission admission_;
  const std::int64_t opened_us_;
  bool asking_ = false;
  std::uint64_t watch_count_ = 0;
  std::vector<std::unique_ptr<MeetingWatch>> watches_;
  TokenBucket control_;
};

}  // namespace qylon::realtime
