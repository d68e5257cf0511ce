#include "api/core/request_log.hpp"

#include <algorithm>
#include <utility>

namespace qylon::api {
namespace {

std::string query_names(const HttpRequest& request) {
  std::string names;
  for (const auto& [name, value] : request.query)
    names += (names.empty() ? "" : ",") + name;
  return names;
}

/// Probes and the pages' files are asked for all day, and hold nothing.
LogLevel level_of(const Route* route, int status) {
  // 503 is load or an outage, which others tell of; 500 is a mistake of ours.
  if (status >= 500) return status == 503 ? LogLevel::kWarn : LogLevel::kError;
  const bool is_quiet = route != nullptr && route->permission == Permission::kOpen && status < 400;
  return is_quiet ? LogLevel::kDebug : LogLevel::kInfo;
}

}  // namespace

RequestLog::Series::Series(Counters& counters, std::string method, std::string route)
    : counters_(counters),
      method_(std::move(method)),
      route_(std::move(route)),
      seconds_(counters.histogram(
          "qylon_http_request_seconds",
          "From the whole request to its answer.",
          {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
          "{method=\"" + method_ + "\",route=\"" + route_ + "\"}")) {}

void RequestLog::Series::observe(int status, std::int64_t duration_us) {
  seconds_.observe(static_cast<double>(duration_us) * 1e-6);
  const MutexLock lock(mutex_);
  auto found = std::find_if(by_status_.begin(), by_status_.end(), [status](const auto& entry) {
    return entry.first == status;
  });
  if (found == by_status_.end()) {
    Counter& counter = counters_.counter("http_requests_total",
                                         "HTTP requests answered.",
                                         "{method=\"" + method_ + "\",route=\"" + route_ +
                                             "\",status_code=\"" + std::to_string(status) + "\"}");
    found = by_status_.insert(found, {status, &counter});
  }
  found->second->add();
}

RequestLog::RequestLog(const Log& log, Counters& counters) : log_(log), counters_(counters) {
  series_.emplace_back(counters_, "any", "none");
}

void RequestLog::add(const Route& route) {
  by_route_[&route] = &series_.emplace_back(counters_, route.method, route.pattern);
}

void RequestLog::record(const Call& call,
                        const Route* route,
                        const HttpResponse& response,
                        std::int64_t duration_us) {
  const auto found = by_route_.find(route);
  Series& series = found == by_route_.end() ? series_.front() : *found->second;
  series.observe(response.status, duration_us);
  log_.write(level_of(route, response.status),
             "http.request",
             {{"method", call.request.method},
              {"path", call.request.path},
              {"query", query_names(call.request)},
              {"route", route == nullptr ? "none" : route->pattern},
              {"status", std::to_string(response.status)},
              {"duration_us", std::to_string(duration_us)},
              {"role", call.principal.role},
              {"user", call.principal.user},
              {"address", call.request.peer_address},
              {"request_id", call.request_id},
              {"trace_id", call.traceparent.substr(3, 32)}});
}

}  // namespace qylon::api
