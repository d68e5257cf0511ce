#include "api/export/line_text.hpp"

#include <algorithm>

#include "core/utf8.hpp"

namespace qylon::api {
namespace {

bool is_space(char32_t c) {
  return c <= 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029;
}

bool is_left_out(char32_t c) {
  const bool embedding_or_override = c >= 0x202A && c <= 0x202E;
  const bool isolate = c >= 0x2066 && c <= 0x2069;
  return embedding_or_override || isolate || c == 0x2060 || c == 0xFEFF;
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  bool space_pending = false;
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    text.remove_prefix(point.size_bytes);
    if (is_left_out(point.value)) continue;
    if (is_space(point.value)) {
      space_pending = !line.empty();
      continue;
    }
    if (space_pending) line += ' ';
    space_pending = false;
    append_utf8(line, point.value);
  }
  return line;
}

std::string speaker_label(const Speaker& speaker) {
  std::string label = one_line(speaker.name);
  if (label.empty()) label = one_line(speaker.key);
  return label.empty() ? "Unknown" : label;
}

std::vector<const Caption*> printable_captions(const Transcript& transcript) {
  std::vector<const Caption*> captions;
  for (const Caption& caption : transcript.captions) {
    if (!one_line(caption.text).empty()) captions.push_back(&caption);
  }
  std::stable_sort(captions.begin(), captions.end(), [](const Caption* a, const Caption* b) {
    if (a->start_ms != b->start_ms) return a->start_ms < b->start_ms;
    return a->offset.value_or(0) < b->offset.value_or(0);
  });
  return captions;
}

std::string padded(std::int64_t value, int width) {
  std::string digits = std::to_string(std::max<std::int64_t>(value, 0));
  const auto wanted = static_cast<std::size_t>(width);
  if (digits.size() < wanted) digits.insert(0, wanted - digits.size(), '0');
  return digits;
}

std::string clock_time(std::int64_t ms, char mark) {
  ms = std::max<std::int64_t>(ms, 0);
  return padded(ms / 3'600'000, 2) + ":" + padded(ms / 60'000 % 60, 2) + ":" +
         padded(ms / 1000 % 60, 2) + mark + padded(ms % 1000, 3);
}

}  // namespace qylon::api
