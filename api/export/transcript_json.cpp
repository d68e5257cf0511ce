#include <cmath>

#include <nlohmann/json.hpp>

#include "api/export/line_text.hpp"
#include "api/export/table_export.hpp"
#include "api/meeting_json.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::ordered_json;

std::string_view provenance_name(Provenance provenance) {
  switch (provenance) {
    case Provenance::kTrack:
      return "track";
    case Provenance::kCluster:
      return "cluster";
    case Provenance::kEnrolled:
      return "enrolled";
    case Provenance::kManual:
      return "manual";
  }
  return "cluster";
}

/// Three decimals, as captions have on the wire: 0.81, not 0.810000002384.
double confidence_of(float value) {
  return std::isfinite(value) ? std::round(double{value} * 1e3) / 1e3 : 0.0;
}

Json word_json(const Word& word) {
  return {{"text", word.text},
          {"start_ms", word.start_ms},
          {"end_ms", word.end_ms},
          {"confidence", confidence_of(word.confidence)}};
}

Json caption_json(const Caption& caption) {
  Json words = Json::array();
  for (const Word& word : caption.words)
    words.push_back(word_json(word));
  return {{"offset", caption.offset.value_or(0)},
          {"segment", caption.segment},
          {"track", caption.track},
          {"start_ms", caption.start_ms},
          {"end_ms", caption.end_ms},
          {"speaker",
           {{"key", caption.speaker.key},
            {"name", caption.speaker.name},
            {"confidence", confidence_of(caption.speaker.confidence)},
            {"provenance", provenance_name(caption.speaker.provenance)}}},
          {"text", caption.text},
          {"words", std::move(words)},
          {"confidence", confidence_of(caption.confidence)},
          {"language", caption.language},
          {"engine", caption.engine}};
}

}  // namespace

std::string write_json(const Transcript& transcript) {
  Json captions = Json::array();
  for (const Caption* caption : printable_captions(transcript))
    captions.push_back(caption_json(*caption));
  // The meeting goes in as the REST routes print it, so that there is one form of it.
  std::string file = "{\"meeting\":" + meeting_to_json(transcript.meeting) + ",\n\"captions\":";
  file += captions.dump(1, ' ', false, Json::error_handler_t::replace);
  return file + "}\n";
}

}  // namespace qylon::api
