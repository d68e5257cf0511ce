#include "realtime/caption_json.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace qylon::realtime {
namespace {

using Json = nlohmann::ordered_json;

// Fixed decimals keep frames short and equal on every machine; not a number becomes 0.
double rounded(float value, double scale) {
  if (!std::isfinite(value)) return 0.0;
  return std::round(static_cast<double>(value) * scale) / scale;
}
double confidence_of(float value) {
  return rounded(value, 1000.0);
}
double level_of(float dbfs) {
  return rounded(dbfs, 10.0);
}

std::string_view provenance_name(Provenance provenance) {
  constexpr std::array<std::string_view, 4> kNames{"track", "cluster", "enrolled", "manual"};
  return kNames[static_cast<std::size_t>(provenance)];
}

Json speaker_json(const Speaker& speaker) {
  return Json{{"key", speaker.key},
              {"name", speaker.name},
              {"confidence", confidence_of(speaker.confidence)},
              {"provenance", provenance_name(speaker.provenance)}};
}

Json words_json(const std::vector<Word>& words) {
  Json list = Json::array();
  for (const Word& word : words) {
    list.push_back(Json{{"text", word.text},
                        {"start_ms", word.start_ms},
                        {"end_ms", word.end_ms},
                        {"confidence", confidence_of(word.confidence)}});
  }
  return list;
}

Json change_json(const Caption& caption) {
  const SpeakerChange& change = *caption.change;
  Json json{{"type", "revision"},
            {"meeting", caption.meeting.to_string()},
            {"offset", *caption.offset},
            {"kind", speaker_change_name(change.kind)},
            {"speaker", speaker_json(change.speaker)}};
  if (change.kind == SpeakerChange::Kind::kMerge) json["from"] = change.from;
  if (!change.captions.empty()) json["captions"] = change.captions;
  return json;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string encode_caption(const Caption& caption) {
  if (caption.change) return dump(change_json(caption));
  Json json{
      {"type", "caption"}, {"meeting", caption.meeting.to_string()}, {"final", caption.is_final()}};
  if (caption.offset) json["offset"] = *caption.offset;
  json["segment"] = caption.segment;
  json["revision"] = caption.revision;
  json["track"] = caption.track;
  json["start_ms"] = caption.start_ms;
  json["end_ms"] = caption.end_ms;
  json["speaker"] = speaker_json(caption.speaker);
  json["text"] = caption.text;
  json["stable_words"] = caption.stable_words;
  json["words"] = words_json(caption.words);
  json["confidence"] = confidence_of(caption.confidence);
  json["language"] = caption.language;
  json["engine"] = caption.engine;
  return dump(json);
}

std::string encode_status(const media::MeetingStatus& status) {
  Json tracks = Json::array();
  for (const auto& track : status.tracks) {
    tracks.push_back(Json{{"track", track.track},
                          {"label", track.label},
                          {"speaker", track.speaker},
                          {"connected", track.connected},
                          {"speaking", track.speaking}});
  }
  Json speakers = Json::array();
  for (const Speaker& speaker : status.speakers)
    speakers.push_back(speaker_json(speaker));
  Json hints = Json::array();
  for (const VoiceHint& hint : status.hints)
    hints.push_back(Json{{"kind", voice_hint_name(hint.kind)}, {"tracks", hint.tracks}});
  return dump(Json{{"type", "status"},
                   {"meeting", status.meeting.to_string()},
                   {"state", meeting_state_name(status.state)},
                   {"position_ms", status.position_ms},
                   {"lag_ms", status.lag_ms},
                   {"captions", status.captions},
                   {"tracks", std::move(tracks)},
                   {"speakers", std::move(speakers)},
                   {"speaking", status.speaking},
                   {"hints", std::move(hints)}});
}

std::string encode_levels(MeetingId meeting, const std::vector<media::TrackLevel>& levels) {
  Json list = Json::array();
  for (const media::TrackLevel& level : levels) {
    list.push_back(Json{{"track", level.track},
                        {"rms_dbfs", level_of(level.rms_dbfs)},
                        {"peak_dbfs", level_of(level.peak_dbfs)},
                        {"lufs", level_of(level.lufs)},
                        {"speech", level.speech},
                        {"clipped", level.clipped},
                        {"silent", level.silent}});
  }
  return dump(
      Json{{"type", "levels"}, {"meeting", meeting.to_string()}, {"levels", std::move(list)}});
}

}  // namespace qylon::realtime
