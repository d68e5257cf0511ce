#include "diarization/rttm.hpp"

#include "diarization/interval_lines.hpp"

namespace qylon::diarization {
namespace {

bool is_comment(std::string_view field) {
  return field.front() == ';' || field.front() == '#';
}

Result<Turn> parse_speaker(const std::vector<std::string_view>& fields, std::size_t line) {
  if (fields.size() < 8) {
    return line_error(line,
                      "a SPEAKER line has at least 8 fields: SPEAKER recording channel start "
                      "duration <NA> <NA> speaker");
  }
  const std::optional<double> start = parse_time(fields[3]);
  const std::optional<double> duration = parse_time(fields[4]);
  if (!start) {
    return line_error(line, "the start (field 4) must be seconds, at least 0 and at most 1e9");
  }
  if (!duration) {
    return line_error(line, "the duration (field 5) must be seconds, at least 0 and at most 1e9");
  }
  return Turn{std::string(fields[1]), std::string(fields[7]), *start, *start + *duration};
}

}  // namespace

Result<std::vector<Turn>> parse_rttm(std::string_view text) {
  std::vector<Turn> turns;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::vector<std::string_view> fields = line_fields(take_line(text));
    if (fields.empty() || is_comment(fields[0]) || fields[0] != "SPEAKER") continue;
    Result<Turn> turn = parse_speaker(fields, line);
    if (!turn) return turn.error();
    turns.push_back(*std::move(turn));
  }
  return turns;
}

std::string format_rttm(std::span<const Turn> turns) {
  std::string out;
  for (const Turn& turn : turns) {
    out += "SPEAKER ";
    append_name(out, turn.recording);
    out += " 1 ";
    append_seconds(out, turn.start_s);
    out += ' ';
    append_seconds(out, turn.end_s - turn.start_s);
    out += " <NA> <NA> ";
    append_name(out, turn.speaker);
    out += " <NA> <NA>\n";
  }
  return out;
}

Result<std::vector<ScoredRegion>> parse_uem(std::string_view text) {
  std::vector<ScoredRegion> regions;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::vector<std::string_view> fields = line_fields(take_line(text));
    if (fields.empty() || is_comment(fields[0])) continue;
    if (fields.size() < 4) {
      return line_error(line, "a UEM line has 4 fields: recording channel start end");
    }
    const std::optional<double> start = parse_time(fields[2]);
    const std::optional<double> end = parse_time(fields[3]);
    if (!start || !end || *end < *start) {
      return line_error(line, "start and end must be seconds, 0 <= start <= end <= 1e9");
    }
    regions.push_back({std::string(fields[0]), *start, *end});
  }
  return regions;
}

std::string format_uem(std::span<const ScoredRegion> regions) {
  std::string out;
  for (const ScoredRegion& region : regions) {
    append_name(out, region.recording);
    out += " 1 ";
    append_seconds(out, region.start_s);
    out += ' ';
    append_seconds(out, region.end_s);
    out += '\n';
  }
  return out;
}

}  // namespace qylon::diarization
