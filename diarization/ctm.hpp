#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "diarization/wer.hpp"

namespace qylon::diarization {

/// One word of a recording with its time, in seconds; one line of a CTM file.
struct TimedWord {
  std::string recording;
  double start_s = 0;
  double end_s = 0;
  std::string text;
  float confidence = 1;  ///< 0..1.
};

/// Reads CTM: `recording channel start duration word [confidence]` a line; blank lines and comments
/// (;;) are passed over.
///
/// Errors : kInvalidArgument naming the line number: too few fields, a time or a confidence that is
///          no finite number or out of range.
/// Source : NIST SCTK, "CTM file format" (infmts.htm).
Result<std::vector<TimedWord>> parse_ctm(std::string_view text);
/// Times and confidences with three decimals; words must hold no blanks.
std::string format_ctm(std::span<const TimedWord> words);

/// The words of each recording in the order of their times, by name.
std::vector<NamedText> texts_by_recording(std::vector<TimedWord> words);

}  // namespace qylon::diarization
