#pragma once
/// Text as it may stand inside one line of a file.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/transcript.hpp"

namespace qylon::api {

/// `text` on one line: runs of white space, line breaks and control characters become one space,
/// none at the ends; bytes that are not UTF-8 become U+FFFD. Left out are the characters that would
/// let a name or a text reorder the line around it (bidirectional embeddings, overrides and
/// isolates; the harmless marks LRM, RLM and ALM stay), byte order marks, and the word joiner,
/// which the SubRip writer uses to break up markup.
/// Source: Unicode Standard Annex 9, section 2; Boucher and Anderson, "Trojan Source", 2021.
std::string one_line(std::string_view text);

/// The name to print, on one line: the speaker's name, else key, else "Unknown".
std::string speaker_label(const Speaker& speaker);

/// The captions that have text, by start, then offset. They point into `transcript`.
std::vector<const Caption*> printable_captions(const Transcript& transcript);

/// `value` in decimal, at least `width` digits, zeros in front. Below zero counts as zero.
std::string padded(std::int64_t value, int width);

/// "01:02:03.450": hours of at least two digits, minutes, seconds, `mark`, and
/// milliseconds, as SubRip (comma) and WebVTT (full stop) want it. Below zero counts as zero.
std::string clock_time(std::int64_t ms, char mark);

}  // namespace qylon::api
