#include "api/export/subtitle_export.hpp"

#include <cctype>
#include <string_view>

#include "api/export/cues.hpp"
#include "api/export/line_text.hpp"
#include "core/utf8.hpp"

namespace qylon::api {
namespace {

constexpr std::string_view kWordJoiner = "\xE2\x81\xA0";  // U+2060

bool begins_markup(std::string_view rest) {
  if (rest.size() < 2) return false;
  const char next = rest[1];
  if (rest[0] == '{') return next == '\\';
  return rest[0] == '<' &&
         (std::isalpha(static_cast<unsigned char>(next)) != 0 || next == '/' || next == '!');
}

std::string srt_escaped(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool arrow = text[i] == '>' && text.substr(0, i).ends_with("--");
    if (arrow) escaped += kWordJoiner;
    escaped += text[i];
    if (begins_markup(text.substr(i))) escaped += kWordJoiner;
  }
  return escaped;
}

std::string vtt_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string time_line(const Cue& cue, char mark) {
  return clock_time(cue.start_ms, mark) + " --> " + clock_time(cue.end_ms, mark) + "\n";
}

}  // namespace

std::string write_srt(const Transcript& transcript) {
  std::string file;
  std::size_t number = 0;
  for (const Cue& cue : make_cues(transcript, {.room_for_name = true})) {
    file += std::to_string(++number) + "\n" + time_line(cue, ',');
    if (cue.part == 1) {
      const std::string name = speaker_label(cue.caption->speaker);
      const bool own_line = count_code_points(name) > kInlineNameColumnsMax;
      file += srt_escaped(name) + (own_line ? ":\n" : ": ");
    }
    for (const std::string& line : cue.lines)
      file += srt_escaped(line) + "\n";
    file += "\n";
  }
  return file;
}

std::string write_vtt(const Transcript& transcript) {
  std::string file = "WEBVTT\n\n";
  for (const Cue& cue : make_cues(transcript, {})) {
    file += std::to_string(cue.caption->offset.value_or(0));
    const std::string name = speaker_label(cue.caption->speaker);
    if (cue.part > 1) file += "-" + std::to_string(cue.part);
    file += "\n" + time_line(cue, '.');
    // The blank, which readers cut off, keeps a name that ends in "--" from making an arrow.
    file += "<v " + vtt_escaped(name) + (name.ends_with("--") ? " >" : ">");
    for (std::size_t i = 0; i < cue.lines.size(); ++i)
      file += (i > 0 ? "\n" : "") + vtt_escaped(cue.lines[i]);
    file += "\n\n";
  }
  return file;
}

}  // namespace qylon::api
