#pragma once
/// Readers that follow the events, each with its own place.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/core/event_store.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/log.hpp"
#include "storage/database.hpp"

namespace qylon::api {

/// What follows the events. Its effects and its place are one transaction: each event counts once,
/// in order.
struct Subscription {
  std::string name;                ///< Its identity over restarts.
  std::vector<std::string> types;  ///< Empty: all. The others are passed over.
  /// Events as the upcasters leave them. An error rolls back; the event comes again after a
  /// back-off, and nothing behind it before.
  std::function<Status(storage::Sql&, const Event&)> handle;
};

/// Puts a reader before the first event. Who also deletes what it made, in the same transaction,
/// has its projection built anew; others see it grow meanwhile. Waits for a batch that is being
/// handled.
void restart_subscription(storage::Sql& sql, const std::string& name);

/// Threads : add() before start(). One thread of its own, whose statements
///           run on the database's threads.
/// Queue   : none: what is not handled yet is in table `events`. At most batch_max at once.
/// Failure : without PostgreSQL nothing moves; among several servers one at a time reads for a
/// name.
class EventSubscriptions {
 public:
  struct Options {
    std::size_t batch_max = 200;
    std::int64_t poll_ms = 200;  ///< Looks this often.
  };
  struct Parts {
    storage::Database& database;
    const Log& log;
    Counters& counters;
  };

  EventSubscriptions(const Options& options, const Parts& parts, Upcasters upcasters);
  ~EventSubscriptions();
  EventSubscriptions(const EventSubscriptions&) = delete;
  EventSubscriptions& operator=(const EventSubscriptions&) = delete;
  EventSubscriptions(EventSubscriptions&&) = delete;
  EventSubscriptions& operator=(EventSubscriptions&&) = delete;

  void add(Subscription subscription);
  void start();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qylon::api
