#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace qylon::diarization {

/// One speaker's turn in a recording, in seconds; one SPEAKER line of an RTTM file.
struct Turn {
  std::string recording;
  std::string speaker;
  double start_s = 0;
  double end_s = 0;
};

/// A stretch of a recording that is scored; one line of a UEM file.
struct ScoredRegion {
  std::string recording;
  double start_s = 0;
  double end_s = 0;
};

/// Reads RTTM: SPEAKER lines become turns; other line types, blank lines and comments (; or #) are
/// passed over.
///
/// Errors : kInvalidArgument naming the line number: too few fields, a time that is no finite
///          number, a negative start or duration.
/// Source : NIST Rich Transcription 2009 evaluation plan, appendix A (RTTM), section 6 (UEM).
Result<std::vector<Turn>> parse_rttm(std::string_view text);
/// Times with three decimals; spaces inside names become '_'.
std::string format_rttm(std::span<const Turn> turns);

/// Reads UEM: `recording channel start end` a line.
Result<std::vector<ScoredRegion>> parse_uem(std::string_view text);
std::string format_uem(std::span<const ScoredRegion> regions);

}  // namespace qylon::diarization
