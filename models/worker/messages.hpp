#pragma once
/// What the frames between server and worker processes carry.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/worker/frame.hpp"

namespace qylon::models {

struct DecodeFrame {
  /// To the worker: phrases to expect, for the rest of its life.
  static constexpr FrameType kVocabulary = kRoleFrame;
  static constexpr FrameType kBegin = kRoleFrame + 1;  ///< To the worker: a segment starts.
  /// To the worker: more int16 samples of the segment; no answer.
  static constexpr FrameType kAudio = kRoleFrame + 2;
  /// To the worker: say what the live segment's words are so far.
  static constexpr FrameType kListen = kRoleFrame + 3;
  /// To the worker: decode the segment's first n samples.
  static constexpr FrameType kFinish = kRoleFrame + 4;
  static constexpr FrameType kAbandon = kRoleFrame + 5;  ///< To the worker: forget the segment.
  /// From a worker: words so far, the answer to kListen.
  static constexpr FrameType kPartial = kRoleFrame + 6;
  static constexpr FrameType kFinal = kRoleFrame + 7;  ///< From a worker: the answer to kFinish.
};

/// One word as a decoder heard it, in time since the segment's first sample.
struct DecodedWord {
  std::string text;
  std::int32_t start_ms = 0;
  std::int32_t end_ms = 0;
  float confidence = 0.0F;
};

/// Average cepstrum of a speaker's speech through his microphone: seeds the next live pass.
struct CepstralMean {
  std::vector<float> values;  ///< Empty: unknown. Else 13 for the default front end.
  float frames = 0.0F;        ///< How much speech it rests on [10 ms frames].
};

/// A decoder's answer.
struct Decoded {
  std::vector<DecodedWord> words;
  CepstralMean mean;                ///< Finals of engines that normalise; else empty.
  std::uint32_t skipped_words = 0;  ///< Vocabulary phrases that could not be added.
};

struct SegmentSetup {
  bool live = false;  ///< Partials are wanted after each piece of audio.
  CepstralMean mean;  ///< Of the expected speaker; empty when unknown.
};

// Limits that the reading side enforces on what the other process sent.
inline constexpr std::size_t kDecodedWordsMax = 4096;
inline constexpr std::size_t kDecodedWordBytesMax = 256;
inline constexpr std::size_t kMeanValuesMax = 64;
inline constexpr std::size_t kVocabularyPhrasesMax = 1000;
inline constexpr std::size_t kVocabularyPhraseBytesMax = 200;

std::string encode_setup(const SegmentSetup& setup);
std::optional<SegmentSetup> parse_setup(std::string_view payload);

std::string encode_decoded(const Decoded& decoded);
/// Nothing for anything but the exact form: the sender may be a process that a hostile sound broke.
std::optional<Decoded> parse_decoded(std::string_view payload);

std::string encode_phrases(const std::vector<std::string>& phrases);
std::optional<std::vector<std::string>> parse_phrases(std::string_view payload);

}  // namespace qylon::models
