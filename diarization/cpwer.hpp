#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "diarization/wer.hpp"

namespace qylon::diarization {

/// One utterance with its speaker; a line `recording<TAB>speaker<TAB>words`.
struct SpokenText {
  std::string recording;
  std::string speaker;
  std::string text;
};

/// Reads SpokenText lines; errors name the line.
Result<std::vector<SpokenText>> parse_spoken_texts(std::string_view text);

struct RecordingWer {
  std::string recording;
  Wer wer;
};

/// Concatenated minimum-permutation word error rate, for each recording of either side: the words
/// of each speaker in the order of the lines, with the one-to-one mapping of speakers that has
/// fewest errors. Who has no partner is deleted or inserted as a whole.
///
/// Cost   : one alignment for each pair of speakers of a recording.
/// Source : S. Watanabe et al., "CHiME-6 challenge: Tackling multispeaker speech recognition for
///          unsegmented recordings", 2020, section 5.
std::vector<RecordingWer> score_cpwer(std::span<const SpokenText> reference,
                                      std::span<const SpokenText> hypothesis);

/// "cpWER 21.80 sub 12.03 del 4.51 ins 5.26 words 133", in percent of reference words.
std::string format_cpwer(const Wer& wer);

}  // namespace qylon::diarization
