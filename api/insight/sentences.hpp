#pragma once
/// A transcript as the kernels of this folder read it: who said which words when, in sentences.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qylon::api {

/// One utterance.
struct SpokenLine {
  std::int64_t offset = 0;    ///< Of its caption.
  std::int64_t start_ms = 0;  ///< Meeting time.
  std::int64_t end_ms = 0;
  std::string speaker;  ///< Name for people; empty: unknown.
  std::string text;     ///< UTF-8; punctuation where the recogniser makes it.
};

struct SpokenWord {
  std::string text;       ///< ASCII letters in lower case, one kind of apostrophe.
  std::size_t begin = 0;  ///< Bytes of the sentence that it stands for.
  std::size_t end = 0;
};

struct Sentence {
  std::size_t line = 0;  ///< Index of its utterance.
  int number = 0;        ///< In its utterance, from 0.
  std::string text;      ///< Without white space around it.
  std::vector<SpokenWord> words;
  bool question = false;  ///< Ends with a question mark.
};

/// What one meeting's kernels look at; a longer transcript counts up to there.
inline constexpr std::size_t kSentencesMax = 50'000;

/// Sentences end at . ! or ? before white space, but for abbreviations; an utterance without
/// punctuation is one sentence. Those without a word are left out.
std::vector<Sentence> split_sentences(std::span<const SpokenLine> lines);

/// Letters, digits, inner apostrophes and hyphens, and every byte beyond ASCII belong to words.
std::vector<SpokenWord> split_words(std::string_view text);

/// English words that say nothing about a subject: "the", "i'm", "yeah".
bool is_stop_word(std::string_view word) noexcept;

}  // namespace qylon::api
