#pragma once
/// Requests to servers of others.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/core/circuit_breaker.hpp"
#include "core/backoff.hpp"
#include "core/clock.hpp"
#include "core/counters.hpp"
#include "core/result.hpp"

namespace qylon::api {

struct OutboundRequest {
  std::string method = "GET";
  std::string url;  ///< https, without user and password.
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  std::int64_t deadline_ms = 10'000;  ///< For all tries together, waiting included.
  std::size_t answer_bytes_max = std::size_t{1} << 20;
  bool idempotent = false;  ///< May be sent again after it may have arrived.
};

struct OutboundAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers{};  ///< Names in lower case.
  std::string body{};
  std::int64_t retry_after_ms = 0;  ///< Of Retry-After in seconds; 0: none.
};

/// One thread sends everything. Each host has its bulkhead, breaker, rate and retry budget, so that
/// one that hangs or fails costs the others nothing.
///
/// Guard   : a request connects only to addresses of the public Internet. The address is looked at
///           when the socket to it is made, after the name was resolved for this very connection,
///           so a name cannot resolve differently for the check. Redirects are answers, not
///           followed; proxies of the environment are not used. Hosts in `allowed` are excepted.
/// Queue   : per host active_per_host run and waiting_per_host wait (beyond: kOverloaded),
/// `hosts_max`
///           hosts (beyond: kOverloaded).
/// Retries : of idempotent requests after a transport error, 429, 502, 503 or 504, with a back-off,
/// as
///           long as the host's budget (a tenth of its requests) and the deadline allow.
/// Threads : send() from any thread. Answers come on the thread: they must not block.
class Outbound {
 public:
  struct Options {
    std::vector<std::string> allowed{};  ///< "HOST:PORT": may be private and plain http.
    std::size_t active_per_host = 8;
    std::size_t waiting_per_host = 100;
    std::size_t hosts_max = 1024;
    double requests_per_host_s = 50;
    int retries_max = 2;
    Backoff::Options backoff{.base_ms = 200, .cap_ms = 5'000};
    CircuitBreaker::Options breaker{};
    std::string ca_file{};  ///< Empty: the system's.
  };
  /// Errors: kInvalidArgument for a URL or header that is not allowed; kForbidden for an address
  /// that
  ///         the guard refuses; kOverloaded; kUnavailable when the host does not answer in time, or
  ///         is left alone for a while, or this object goes. Any HTTP status is an answer.
  using Done = std::function<void(Result<OutboundAnswer>)>;

  Outbound(const Options& options, const Clock& clock, Counters& counters);
  ~Outbound();
  Outbound(const Outbound&) = delete;
  Outbound& operator=(const Outbound&) = delete;
  Outbound(Outbound&&) = delete;
  Outbound& operator=(Outbound&&) = delete;

  void send(OutboundRequest request, Done done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// What a URL connects to; what bulkheads are named by.
struct OutboundTarget {
  std::string scheme;  ///< "https" or "http".
  std::string host;    ///< Lower case.
  std::string port;

  std::string authority() const { return host + ":" + port; }
};
/// Errors: kInvalidArgument for anything but http and https URLs with a host and no credentials.
Result<OutboundTarget> parse_outbound_url(const std::string& url);

}  // namespace qylon::api
