#include "realtime/ingest_json.hpp"

#include <nlohmann/json.hpp>

namespace qylon::realtime {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string encode_ingest_answer(const IngestTally& tally) {
  return dump(Json{{"meeting", tally.meeting.to_string()},
                   {"track", tally.track},
                   {"seconds", static_cast<double>(tally.heard_ms) / 1000.0},
                   {"packets", tally.packets},
                   {"bytes", tally.bytes},
                   {"durable", tally.durable}});
}

std::string encode_new_meeting(std::string_view title) {
  return title.empty() ? "{}" : dump(Json{{"title", title}});
}

}  // namespace qylon::realtime
