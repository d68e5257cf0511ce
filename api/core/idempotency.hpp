#pragma once

#include "api/core/call.hpp"
#include "api/core/database_jobs.hpp"
#include "api/core/route_table.hpp"
#include "storage/database.hpp"

namespace qylon::api {

/// Requests that are done once however often they are sent: who sends the same request with the
/// same Idempotency-Key within 24 h gets the first answer again, with `Idempotency-Replayed: true`.
///
/// Keys    : of one principal. With another request behind it a key is refused (422), and while its
///           request is being answered (409). A request that nobody answered within two minutes,
///           because its server was killed, may be sent again and is done anew.
/// Kept    : answers below 500 of at most kBodyBytesMax of UTF-8; the others are forgotten, so
///           that the request can be sent again.
/// Source  : draft-ietf-httpapi-idempotency-key-header-07, sections 2.2 to 2.7.
/// Threads : any; nothing blocks. Handlers are called on database threads.
class Idempotency {
 public:
  static constexpr std::size_t kBodyBytesMax = 256 << 10;

  /// The destructor waits for the calls that wait for their turn. `keeping` is for what follows the
  /// handlers' answers: it must outlive the handlers, and go before what answers.
  Idempotency(storage::Database& database, DatabaseJobs& keeping)
      : keeping_(keeping), jobs_(database) {}

  /// The call has a key that counts: a change by somebody who is known, answered without a secret.
  static bool applies(const Call& call, const Route& route);
  /// Calls the route's handler, or replies what was kept. REQUIRES: applies(*call, route).
  void run(const CallPtr& call, const Route& route, HttpReply reply);

 private:
  void begin(const CallPtr& call,
             const Route& route,
             const HttpReply& reply,
             storage::Session& session);

  DatabaseJobs& keeping_;
  DatabaseJobs jobs_;
};

}  // namespace qylon::api
