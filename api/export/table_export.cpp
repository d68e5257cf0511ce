#include "api/export/table_export.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <vector>

#include "api/export/line_text.hpp"
#include "core/log.hpp"

namespace qylon::api {
namespace {

// ---- CSV ----

/// "=", "+", "-" and "@", plain and full-width (U+FF1D, U+FF0B, U+FF0D, U+FF20).
constexpr std::array<std::string_view, 8> kFormulaStarts{"=",
                                                         "+",
                                                         "-",
                                                         "@",
                                                         "\xEF\xBC\x9D",
                                                         "\xEF\xBC\x8B",
                                                         "\xEF\xBC\x8D",
                                                         "\xEF\xBC\xA0"};

bool looks_like_formula(std::string_view cell) {
  cell.remove_prefix(std::min(cell.find_first_not_of('\''), cell.size()));
  return std::any_of(kFormulaStarts.begin(), kFormulaStarts.end(), [cell](std::string_view start) {
    return cell.starts_with(start);
  });
}

std::string text_cell(std::string_view text) {
  const std::string line = one_line(text);
  std::string cell = looks_like_formula(line) ? "\"'" : "\"";
  for (const char c : line)
    cell += c == '"' ? std::string("\"\"") : std::string(1, c);
  return cell + "\"";
}

/// [0, 1] with three decimals; what is no number counts as 0.
std::string confidence_cell(float confidence) {
  const double value = std::isfinite(confidence) ? std::clamp(double{confidence}, 0.0, 1.0) : 0.0;
  std::array<char, 16> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 3);
  return std::string(text.data(), end.ptr);
}

// ---- RTTM ----

struct Stretch {
  std::string label;
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
};

std::string one_word(std::string_view label) {
  std::string word = one_line(label);
  std::replace(word.begin(), word.end(), ' ', '_');
  // U+00A0 and other wide blanks would still split a field in a reader that knows Unicode.
  for (const std::string_view blank : {"\xC2\xA0", "\xE3\x80\x80", "\xE2\x80\xAF"}) {
    for (std::size_t at = 0; (at = word.find(blank, at)) != std::string::npos;)
      word.replace(at, blank.size(), "_");
  }
  return word;
}

/// Which word stands for which speaker's key.
std::map<std::string, std::string> rttm_labels(const std::vector<const Caption*>& captions) {
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> first_owner;
  for (const Caption* caption : captions) {
    const Speaker& speaker = caption->speaker;
    if (labels.contains(speaker.key)) continue;
    std::string word = one_word(speaker_label(speaker));
    const auto [owner, is_first] = first_owner.emplace(word, speaker.key);
    if (!is_first) word += "_" + one_word(speaker.key.empty() ? "unknown" : speaker.key);
    labels.emplace(speaker.key, word);
  }
  return labels;
}

std::vector<Stretch> stretches_of(const std::vector<const Caption*>& captions) {
  const auto labels = rttm_labels(captions);
  std::vector<Stretch> stretches;
  std::map<std::string, std::size_t> newest;
  for (const Caption* caption : captions) {
    const std::string& label = labels.at(caption->speaker.key);
    const std::int64_t start_ms = std::max<std::int64_t>(caption->start_ms, 0);
    const std::int64_t end_ms = std::max(caption->end_ms, start_ms);
    const auto found = newest.find(label);
    if (found != newest.end() && start_ms <= stretches[found->second].end_ms) {
      Stretch& open = stretches[found->second];
      open.end_ms = std::max(open.end_ms, end_ms);
      continue;
    }
    newest[label] = stretches.size();
    stretches.push_back({label, start_ms, end_ms});
  }
  return stretches;
}

std::string seconds(std::int64_t ms) {
  return padded(ms / 1000, 1) + "." + padded(ms % 1000, 3);
}

}  // namespace

std::string write_txt(const Transcript& transcript) {
  std::string file = one_line(transcript.meeting.title);
  if (file.empty()) file = "Meeting " + transcript.meeting.id.to_string();
  file += "\n";
  file += format_utc(transcript.meeting.started_us.value_or(transcript.meeting.created_us));
  file += "\n\n";
  for (const Caption* caption : printable_captions(transcript)) {
    std::string time = clock_time(caption->start_ms, '.');
    time.resize(time.size() - 4);  // Whole seconds are enough for people.
    file += "[" + time;
    file += "] " + speaker_label(caption->speaker) + ": " + one_line(caption->text) + "\n";
  }
  return file;
}

std::string write_csv(const Transcript& transcript) {
  std::string file =
      "offset,start_ms,end_ms,speaker_key,speaker,text,confidence,language,engine\r\n";
  for (const Caption* caption : printable_captions(transcript)) {
    file += std::to_string(caption->offset.value_or(0)) + ",";
    file += padded(caption->start_ms, 1) + "," + padded(caption->end_ms, 1) + ",";
    file +=
        text_cell(caption->speaker.key) + "," + text_cell(speaker_label(caption->speaker)) + ",";
    file += text_cell(caption->text) + "," + confidence_cell(caption->confidence) + ",";
    file += text_cell(caption->language) + "," + text_cell(caption->engine) + "\r\n";
  }
  return file;
}

std::string write_rttm(const Transcript& transcript) {
  const MeetingInfo& meeting = transcript.meeting;
  // A file's transcript has no meeting: it is known by its name.
  const std::string name =
      meeting.id == MeetingId() ? one_word(meeting.title) : meeting.id.to_string();
  std::string file;
  for (const Stretch& stretch : stretches_of(printable_captions(transcript))) {
    file += "SPEAKER " + name + " 1 " + seconds(stretch.start_ms) + " " +
            seconds(stretch.end_ms - stretch.start_ms) + " <NA> <NA> " + stretch.label +
            " <NA> <NA>\n";
  }
  return file;
}

}  // namespace qylon::api
