#include "api/core/error_reports.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/ids.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kDeadlineMs = 10'000;
constexpr TokenBucket::Options kRate{.per_s = 1, .burst = 10};
/// What says who asked for what.
constexpr std::array<std::string_view, 4> kLeftOut{"address", "user", "path", "query"};

/// One event in an envelope: three JSON lines.
std::string envelope(std::string_view event,
                     std::initializer_list<LogField> fields,
                     std::int64_t wall_us) {
  std::string id = Uuid::random().to_string();
  std::erase(id, '-');
  Json extra = Json::object();
  for (const LogField& field : fields) {
    if (std::find(kLeftOut.begin(), kLeftOut.end(), field.key) == kLeftOut.end())
      extra[std::string(field.key)] = field.value;
  }
  const std::string time = format_utc(wall_us);
  const Json body{{"event_id", id},
                  {"timestamp", time},
                  {"platform", "native"},
                  {"level", "error"},
                  {"logger", "qylon"},
                  {"release", "qylon@" QYLON_VERSION},
                  {"message", {{"formatted", event}}},
                  {"fingerprint", {event}},
                  {"extra", std::move(extra)}};
  const auto print = [](const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  };
  return print({{"event_id", id}, {"sent_at", time}}) + print({{"type", "event"}}) + print(body);
}

}  // namespace

Result<ErrorReports::Target> ErrorReports::parse_dsn(const std::string& dsn) {
  const Error wrong{ErrorCode::kInvalidArgument,
                    "where errors are sent is told as https://KEY@HOST/PROJECT"};
  const std::size_t scheme = dsn.find("://");
  const std::size_t at = dsn.find('@');
  const std::size_t slash = dsn.rfind('/');
  if (scheme == std::string::npos || at == std::string::npos || at <= scheme + 3 || slash < at ||
      slash + 1 == dsn.size())
    return wrong;
  // The key alone: earlier versions had a password behind a colon.
  std::string key = dsn.substr(scheme + 3, at - scheme - 3);
  key.resize(std::min(key.size(), key.find(':')));
  const std::string base = dsn.substr(0, scheme + 3) + dsn.substr(at + 1, slash - at - 1);
  const auto target = parse_outbound_url(base + "/");
  if (!target || key.empty()) return wrong;
  return Target{base + "/api" + dsn.substr(slash) + "/envelope/", target->authority(), key};
}

Result<std::unique_ptr<ErrorReports>> ErrorReports::create(const std::string& dsn,
                                                           const Clock& clock,
                                                           Counters& counters) {
  auto target = parse_dsn(dsn);
  if (!target) return target.error();
  return std::unique_ptr<ErrorReports>(new ErrorReports(*std::move(target), clock, counters));
}

ErrorReports::ErrorReports(Target target, const Clock& clock, Counters& counters)
    : target_(std::move(target)),
      clock_(clock),
      sent_(counters.counter("qylon_error_reports_total", "Errors sent to be collected.")),
      dropped_(counters.counter("qylon_error_reports_dropped_total", "Errors beyond the rate.")),
      failed_(counters.counter("qylon_error_reports_failed_total", "Errors that were not taken.")),
      rate_(kRate, clock.monotonic_us()),
      outbound_({.allowed = {target_.authority}}, clock, counters) {}

void ErrorReports::on_error(std::string_view event, std::initializer_list<LogField> fields) {
  {
    const MutexLock lock(mutex_);
    if (!rate_.try_take(1, clock_.monotonic_us())) return dropped_.add();
  }
  sent_.add();
  outbound_.send(
      {.method = "POST",
       .url = target_.url,
       .headers = {{"Content-Type", "application/x-sentry-envelope"},
                   {"X-Sentry-Auth",
                    "Sentry sentry_version=7, sentry_client=qylon/" QYLON_VERSION ", sentry_key=" +
                        target_.key}},
       .body = envelope(event, fields, clock_.wall_us()),
       .deadline_ms = kDeadlineMs},
      [this](const Result<OutboundAnswer>& answer) {
        if (!answer || answer->status != 200) failed_.add();
      });
}

}  // namespace qylon::api
