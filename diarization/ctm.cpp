#include "diarization/ctm.hpp"

#include <algorithm>
#include <tuple>

#include "diarization/interval_lines.hpp"

namespace qylon::diarization {
namespace {

Result<TimedWord> parse_word(const std::vector<std::string_view>& fields, std::size_t line) {
  if (fields.size() < 5) {
    return line_error(
        line, "a CTM line has 5 or 6 fields: recording channel start duration word [confidence]");
  }
  const std::optional<double> start = parse_time(fields[2]);
  const std::optional<double> duration = parse_time(fields[3]);
  if (!start || !duration) {
    return line_error(line, "start and duration must be seconds, at least 0 and at most 1e9");
  }
  TimedWord word{std::string(fields[0]), *start, *start + *duration, std::string(fields[4]), 1};
  if (fields.size() > 5) {
    const std::optional<double> confidence = parse_seconds(fields[5]);
    if (!confidence || *confidence < 0 || *confidence > 1) {
      return line_error(line, "the confidence (field 6) must be a number from 0 to 1");
    }
    word.confidence = static_cast<float>(*confidence);
  }
  return word;
}

}  // namespace

Result<std::vector<TimedWord>> parse_ctm(std::string_view text) {
  std::vector<TimedWord> words;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::vector<std::string_view> fields = line_fields(take_line(text));
    if (fields.empty() || fields[0].starts_with(";;")) continue;
    Result<TimedWord> word = parse_word(fields, line);
    if (!word) return word.error();
    words.push_back(*std::move(word));
  }
  return words;
}

std::string format_ctm(std::span<const TimedWord> words) {
  std::string out;
  for (const TimedWord& word : words) {
    append_name(out, word.recording);
    out += " 1 ";
    append_seconds(out, word.start_s);
    out += ' ';
    append_seconds(out, word.end_s - word.start_s);
    out += ' ';
    append_name(out, word.text);
    out += ' ';
    append_seconds(out, static_cast<double>(word.confidence));
    out += '\n';
  }
  return out;
}

std::vector<NamedText> texts_by_recording(std::vector<TimedWord> words) {
  std::stable_sort(words.begin(), words.end(), [](const TimedWord& a, const TimedWord& b) {
    return std::tie(a.recording, a.start_s) < std::tie(b.recording, b.start_s);
  });
  std::vector<NamedText> out;
  for (TimedWord& word : words) {
    if (out.empty() || out.back().name != word.recording) {
      out.push_back({std::move(word.recording), {}});
    } else {
      out.back().text += ' ';
    }
    out.back().text += word.text;
  }
  return out;
}

}  // namespace qylon::diarization
