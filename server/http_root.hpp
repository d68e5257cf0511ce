#pragma once

#include <span>

#include "api/speakers.hpp"
#include "core/access.hpp"
#include "core/counters.hpp"
#include "core/http.hpp"
#include "core/meeting_control.hpp"
#include "storage/database.hpp"
#include "storage/journal.hpp"
#include "web/assets.hpp"

namespace qylon::server {

/// The first word of every HTTP answer: health, readiness, metrics, the pages, then /api.
///
/// Access  : /health and the pages, which hold nothing, are open; everything else asks.
/// Threads : handle() from any thread; it does not block.
class HttpRoot final : public HttpHandler {
 public:
  struct Parts {
    const Access& access;
    const Counters& counters;
    storage::Database& database;
    const storage::Journal& journal;
    HttpHandler& api;
    MeetingControl& control;
  };
  explicit HttpRoot(const Parts& parts)
      : parts_(parts), speakers_({parts.database, parts.access, parts.control}) {}

  void handle(HttpRequest request, HttpReply reply) override;

 private:
  HttpResponse ready() const;

  const Parts parts_;
  api::SpeakersApi speakers_;
};

}  // namespace qylon::server
