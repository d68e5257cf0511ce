#include <nlohmann/json.hpp>

#include "bench/loadgen/load.hpp"

namespace qylon::loadgen {
namespace {

using nlohmann::ordered_json;

ordered_json times(const Percentiles& percentiles) {
  return {{"count", percentiles.count()},
          {"p50_ms", percentiles.at_ms(0.5)},
          {"p99_ms", percentiles.at_ms(0.99)},
          {"max_ms", percentiles.at_ms(1.0)}};
}

}  // namespace

std::string print_report(const LoadReport& report, std::uint64_t seed) {
  const ordered_json json = {{"seed", seed},
                             {"packets", report.packets},
                             {"frames_again", report.frames_again},
                             {"durable_null_acks", report.disk_away},
                             {"uplink_connections", report.uplink_connections},
                             {"viewer_connections", report.viewer_connections},
                             {"captions", report.captions},
                             {"deliveries", report.deliveries},
                             {"interims", report.interims},
                             {"ack", times(report.settle_times)},
                             {"durable", times(report.durable_times)},
                             {"caption_delay", times(report.delays)},
                             {"caption_spread", times(report.spreads)},
                             {"findings", report.findings.count()},
                             {"finding_words", report.findings.words()}};
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace qylon::loadgen
