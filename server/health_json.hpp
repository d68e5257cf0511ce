#pragma once

#include <cstdint>

#include "core/clock.hpp"
#include "core/http.hpp"
#include "storage/database.hpp"
#include "storage/journal.hpp"

namespace qylon::server {

/// How the server is, for probes and for people: `GET /health`.
///
/// Threads : any; nothing blocks.
class Health {
 public:
  struct Parts {
    const Clock& clock;
    const storage::Database& database;
    const storage::Journal& journal;
  };
  /// All must outlive the object.
  explicit Health(const Parts& parts) : parts_(parts), started_us_(parts.clock.monotonic_us()) {}

  /// 200 `{"status":"healthy",...}`, or 503 "unhealthy" while captions cannot be stored.
  HttpResponse answer() const;

 private:
  const Parts parts_;
  const std::int64_t started_us_;
};

}  // namespace qylon::server
