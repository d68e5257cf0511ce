#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "api/core/database_jobs.hpp"
#include "api/core/route_table.hpp"
#include "api/tickets.hpp"
#include "core/clock.hpp"
#include "core/meeting_gate.hpp"
#include "storage/database.hpp"

namespace qylon::api {

/// The doors into a meeting beside a token: one-time tickets for WebSockets, and links that show
/// the captions to whoever has one.
///
/// A ticket opens one WebSocket, for one meeting and one verb. A link's secret is worth tickets
/// for kSee as long as the link lives; such a session lasts ten minutes at most, so that a link
/// that was revoked shows nothing soon after.
///
/// Threads : any; nothing blocks. Answers come on database threads.
/// Bounds  : those of Tickets and of the database's queue (kOverloaded).
class Shares final : public MeetingGate {
 public:
  static constexpr std::int64_t kSessionUs = 12LL * 3600 * 1'000'000;
  static constexpr std::int64_t kShareSessionUs = 600LL * 1'000'000;

  /// Both must outlive the object, whose destructor waits for the database jobs under way.
  Shares(storage::Database& database, const Clock& clock) : tickets_(clock), jobs_(database) {}

  void ask(const Principal& principal, MeetingId meeting, MeetingVerb verb, Answer answer) override;
  Result<MeetingPass> redeem(std::string_view ticket) override { return tickets_.redeem(ticket); }

  /// Their handlers must not be called after the object is gone.
  std::vector<Route> routes();

 private:
  void issue_ticket(const CallPtr& call, const HttpReply& reply);
  void create(const CallPtr& call, const HttpReply& reply);
  void list(const CallPtr& call, const HttpReply& reply);
  void revoke(const CallPtr& call, const HttpReply& reply);
  HttpResponse ticket_answer(const Result<MeetingPass>& pass);
  /// Replies with what `answer` returns, on a database thread.
  void answer_from_database(const HttpReply& reply,
                            std::function<HttpResponse(storage::Session&)> answer);

  Tickets tickets_;
  DatabaseJobs jobs_;
};

}  // namespace qylon::api
