#pragma once

#include <span>

#include "core/access.hpp"
#include "core/counters.hpp"
#include "core/http.hpp"
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
    const storage::Database& database;
    const storage::Journal& journal;
    HttpHandler& api;
  };
  explicit HttpRoot(const Parts& parts) : parts_(parts) {}

  void handle(HttpRequest request, HttpReply reply) override;

 private:
  HttpResponse ready() const;

  const Parts parts_;
};

}  // namespace qylon::server
