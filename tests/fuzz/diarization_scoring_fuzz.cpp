// RTTM, UEM, CTM and transcripts come from users: any bytes parse or are refused, what parses can
// be written and read back, and scoring it ends with finite sums.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.hpp"
#include "diarization/cpwer.hpp"
#include "diarization/ctm.hpp"
#include "diarization/der.hpp"
#include "diarization/jer.hpp"
#include "diarization/wer.hpp"

namespace qylon::diarization {
namespace {

void read_write_and_score(std::string_view text) {
  const Result<std::vector<ScoredRegion>> regions = parse_uem(text);
  if (regions) QYLON_CHECK(parse_uem(format_uem(*regions)));
  const Result<std::vector<Turn>> turns = parse_rttm(text);
  if (!turns || turns->size() > 64) return;
  const Result<std::vector<Turn>> again = parse_rttm(format_rttm(*turns));
  QYLON_CHECK(again);
  QYLON_CHECK(again->size() == turns->size());
  const OverlapOptions options{.collar_s = 0.25, .skip_overlap = turns->size() % 2 == 0};
  const std::vector<ScoredRegion> none;
  const Der der = total_der(score_der(*turns, *again, regions ? *regions : none, options));
  QYLON_CHECK(std::isfinite(der.speech_s) && std::isfinite(der.confusion_s));
  QYLON_CHECK(!format_der(der).empty());
  for (const RecordingJer& recording : score_jer(*turns, *again, regions ? *regions : none)) {
    QYLON_CHECK(recording.jer.error_sum <= recording.jer.speakers + 1e-9);
  }
}

void compare_words(std::string_view text) {
  const std::size_t half = text.size() / 2;
  const Wer wer = score_wer(text.substr(0, half), text.substr(half));
  QYLON_CHECK(wer.substitutions + wer.deletions <= wer.reference_words);
  const Result<std::vector<NamedText>> texts = parse_named_texts(text);
  if (texts && score_wer(*texts, *texts)) {
    QYLON_CHECK(score_wer(*texts, *texts)->percent() == 0.0);
  }
  const Result<std::vector<SpokenText>> spoken = parse_spoken_texts(text);
  if (!spoken || spoken->size() > 32) return;
  for (const RecordingWer& recording : score_cpwer(*spoken, *spoken))
    QYLON_CHECK(recording.wer.errors() == 0);
}

void read_and_write_words(std::string_view text) {
  const Result<std::vector<TimedWord>> words = parse_ctm(text);
  if (!words) return;
  const Result<std::vector<TimedWord>> again = parse_ctm(format_ctm(*words));
  QYLON_CHECK(again && again->size() == words->size());
}

}  // namespace
}  // namespace qylon::diarization

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  qylon::diarization::read_write_and_score(text);
  qylon::diarization::compare_words(text);
  qylon::diarization::read_and_write_words(text);
  return 0;
}
