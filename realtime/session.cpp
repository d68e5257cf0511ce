#include "realtime/session.hpp"

#include "realtime/session_json.hpp"

namespace qylon::realtime {
namespace {

// 4000 after a drain: everybody comes back within 10 s. Other reconnects: 0.5 to 2 s.
std::int64_t retry_after_ms(int close, Jitter& jitter) {
  if (close < 4000 || close > 4499) return 0;
  return close == 4000 ? jitter.between(250, 10'000) : jitter.between(500, 2'000);
}

}  // namespace

EdgeCounters::EdgeCounters(Counters& counters)
    : connections(counters.gauge("qylon_edge_connections", "Open TCP connections.")),
      uplinks(counters.gauge("qylon_edge_uplinks", "Open uplink sessions.")),
      subscribers(counters.gauge("qylon_edge_subscribers", "Open subscribe sessions.")),
      http_requests(counters.counter("qylon_edge_http_requests_total", "HTTP requests taken.")),
      refused_requests(counters.counter("qylon_edge_refused_requests_total",
                                        "HTTP requests and upgrades refused by the edge.")),
      refused_connections(counters.counter("qylon_edge_refused_connections_total",
                                           "Connections closed at accept by a limit.")),
      newcomers(counters.gauge("qylon_edge_newcomers",
                               "Connections that have not said what they want yet.")),
      newcomers_shed(counters.counter("qylon_edge_newcomers_shed_total",
                                      "Silent connections closed because too many others came.")),
      accept_pauses(counters.counter("qylon_edge_accept_pauses_total",
                                     "Times nobody was let in because of too many newcomers.")),
      messages_sent(counters.counter("qylon_edge_messages_sent_total",
                                     "Captions, statuses and levels handed to subscribers.")),
      messages_dropped(counters.counter("qylon_edge_messages_dropped_total",
                                        "Interims, statuses and levels that a full mailbox or a "
                                        "slow reader cost.")),
      finals_refetched(counters.counter("qylon_edge_finals_refetched_total",
                                        "Times a subscriber fell back to ring or history.")),
      slow_readers(counters.counter("qylon_edge_slow_readers_total",
                                    "Subscribers closed because they read too slowly.")),
      shed_readers(counters.counter("qylon_edge_shed_readers_total",
                                    "Subscribers closed because memory was short.")),
      memory_refusals(counters.counter("qylon_edge_memory_refusals_total",
                                       "Connections closed at accept because memory was short.")),
      uplink_frames(counters.counter("qylon_edge_uplink_frames_total", "Audio frames taken.")),
      uplink_stalls(counters.counter("qylon_edge_uplink_stalls_total",
                                     "Times an uplink was paused because its shard was busy.")),
      uplinks_slowed(counters.counter("qylon_edge_uplinks_slowed_total",
                                      "Times an uplink was paused because it sent too fast.")),
      session_errors(counters.counter("qylon_edge_session_errors_total",
                                      "WebSocket sessions ended with an error.")) {}

void Session::fail(const SessionError& error) {
  if (failed_) return;
  failed_ = true;
  parts_.counters.session_errors.add();
  port_.send(make_text_frame(encode_error(
      {error.code, error.close, error.message, retry_after_ms(error.close, parts_.jitter)})));
  port_.close(error.close);
}

SessionError session_error(const Error& error) {
  return {error.code, close_code(error.code), error.message};
}

}  // namespace qylon::realtime
