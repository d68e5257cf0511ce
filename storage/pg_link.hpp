#pragma once
/// The place of a connection that one thread uses, another makes and a third may cut.

#include <chrono>
#include <cstdint>
#include <memory>

#include "core/sync.hpp"
#include "storage/pg_connection.hpp"

namespace qylon::storage {

/// Making a connection to a server that hangs takes libpq 2 s, so who has a job does not make one.
///
/// Threads : take() and release() on the user's; lacks() and put() on the maker's; cut() and
///           cut_if_busy_since() on any.
class PgLink {
 public:
  /// The connection, or null when there is none that lives within `patience`. It is the caller's
  /// until release(). `now_us`, not 0, is for cut_if_busy_since().
  PgConnection* take(std::chrono::milliseconds patience, std::int64_t now_us)
      QYLON_EXCLUDES(mutex_);
  /// False: the connection is broken.
  bool release() QYLON_EXCLUDES(mutex_);

  /// Nobody uses it, and it needs a connection.
  bool lacks() const QYLON_EXCLUDES(mutex_);
  /// REQUIRES: lacks() was true since the last put().
  void put(std::unique_ptr<PgConnection> connection) QYLON_EXCLUDES(mutex_);

  /// Makes whatever waits for the server here fail now. False: there was nothing to cut.
  bool cut() QYLON_EXCLUDES(mutex_);
  /// As above, when it was taken at or before `since_us` and not released.
  bool cut_if_busy_since(std::int64_t since_us) QYLON_EXCLUDES(mutex_);

 private:
  bool lives() const QYLON_REQUIRES(mutex_);
  bool cut_locked() QYLON_REQUIRES(mutex_);

  mutable Mutex mutex_;
  Condition filled_;
  std::unique_ptr<PgConnection> connection_ QYLON_GUARDED_BY(mutex_);
  std::int64_t busy_since_us_ QYLON_GUARDED_BY(mutex_) = 0;  // 0: nobody uses it.
  // Guarded, so that no socket is shut down whose number has passed to another. -1: none, or cut.
  int socket_ QYLON_GUARDED_BY(mutex_) = -1;
};

}  // namespace qylon::storage
