#pragma once
/// Captions cut into cues that a viewer can read.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/transcript.hpp"

namespace qylon::api {

struct CueLimits {
  std::size_t columns_max = 42;     ///< Code points in a line.
  std::int64_t duration_ms = 7000;  ///< Longest cue.
  std::int64_t pause_ms = 1000;     ///< A pause this long ends a cue.
  bool room_for_name = false;       ///< The first line of a caption begins with "Name: ".
};

struct Cue {
  const Caption* caption = nullptr;
  std::size_t part = 1;  ///< 1, 2, ... inside the caption.
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;         ///< > start_ms.
  std::vector<std::string> lines;  ///< One or two, not yet escaped.
};

/// Names longer than this stand on a line of their own.
inline constexpr std::size_t kInlineNameColumnsMax = 24;

/// Cuts every caption that has text at its words' times, so that a cue has at most two lines and
/// lasts no longer than the limits say. A word longer than a line is not cut. Without usable word
/// times, the caption's time is shared out by the length of the words.
///
/// Output: by start time, as WebVTT section 4.1 asks; pointers lead into `transcript`.
/// Source: BBC Subtitle Guidelines 1.2 (two lines, about 37 to 42 characters, balanced lines).
std::vector<Cue> make_cues(const Transcript& transcript, const CueLimits& limits);

}  // namespace qylon::api
