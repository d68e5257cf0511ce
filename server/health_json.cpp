#include "server/health_json.hpp"

#include <string>

#include <nlohmann/json.hpp>

#include "api/http_answers.hpp"
#include "core/log.hpp"
#include "realtime/memory_watch.hpp"
#include "server/host_metrics.hpp"

namespace qylon::server {
namespace {

using Json = nlohmann::ordered_json;

Json check(bool holds) {
  return {{"status", holds ? "up" : "down"}};
}

}  // namespace

HttpResponse Health::answer() const {
  const bool database = parts_.database.healthy();
  const bool journal = parts_.journal.writable();
  const double uptime_s = static_cast<double>(parts_.clock.monotonic_us() - started_us_ + 1) * 1e-6;
  const double cpu_s = cpu_seconds();
  const Json checks{
      {"database", check(database)},
      {"journal", check(journal)},
      {"redis", {{"status", "not_used"}}},
      {"external_apis", {{"status", "not_asked"}}},
      {"memory_usage", {{"status", "up"}, {"resident_bytes", realtime::resident_bytes()}}},
      {"cpu_usage", {{"status", "up"}, {"seconds", cpu_s}, {"mean_cores", cpu_s / uptime_s}}}};
  const bool healthy = database && journal;
  return api::json_answer(healthy ? 200 : 503,
                          Json{{"status", healthy ? "healthy" : "unhealthy"},
                               {"timestamp", format_utc(parts_.clock.wall_us())},
                               {"service", "qylon"},
                               {"version", QYLON_VERSION},
                               {"uptime_s", uptime_s},
                               {"checks", checks}}
                              .dump());
}

}  // namespace qylon::server
