#include "api/insight/sentences.hpp"

#include <algorithm>
#include <array>

namespace qylon::api {
namespace {

constexpr std::string_view kCurlyApostrophe = "\xE2\x80\x99";  // U+2019.

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c < 0;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// How many bytes at `at` join two parts of one word; 0: none.
std::size_t joiner_bytes(std::string_view text, std::size_t at) {
  std::size_t size = 0;
  if (text[at] == '\'' || text[at] == '-') size = 1;
  if (text.substr(at).starts_with(kCurlyApostrophe)) size = kCurlyApostrophe.size();
  return size > 0 && at + size < text.size() && is_word_byte(text[at + size]) ? size : 0;
}

SpokenWord read_word(std::string_view text, std::size_t begin) {
  SpokenWord word{{}, begin, begin};
  while (word.end < text.size()) {
    const std::size_t joiner = word.text.empty() ? 0 : joiner_bytes(text, word.end);
    if (joiner > 0) {
      word.text += text[word.end] == '-' ? '-' : '\'';
      word.end += joiner;
    } else if (text.substr(word.end).starts_with(kCurlyApostrophe) ||
               !is_word_byte(text[word.end])) {
      break;
    } else {
      word.text += lower(text[word.end++]);
    }
  }
  return word;
}

bool is_abbreviation(std::string_view text, std::size_t stop) {
  constexpr std::array<std::string_view, 10> kAbbreviations{
      "mr", "mrs", "ms", "dr", "vs", "e.g", "i.e", "etc", "approx", "no"};
  std::size_t begin = stop;
  while (begin > 0 && !is_space(text[begin - 1]))
    --begin;
  std::string word(text.substr(begin, stop - begin));
  std::transform(word.begin(), word.end(), word.begin(), lower);
  return std::find(kAbbreviations.begin(), kAbbreviations.end(), word) != kAbbreviations.end();
}

/// Behind the end of the sentence that begins at `begin`.
std::size_t sentence_end(std::string_view text, std::size_t begin) {
  for (std::size_t at = begin; at < text.size(); ++at) {
    if (text[at] != '.' && text[at] != '!' && text[at] != '?') continue;
    const bool last = at + 1 == text.size() || is_space(text[at + 1]);
    if (last && !(text[at] == '.' && is_abbreviation(text, at))) return at + 1;
  }
  return text.size();
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

}  // namespace

std::vector<SpokenWord> split_words(std::string_view text) {
  std::vector<SpokenWord> words;
  for (std::size_t at = 0; at < text.size();) {
    SpokenWord word = read_word(text, at);
    if (word.text.empty()) {
      at += text.substr(at).starts_with(kCurlyApostrophe) ? kCurlyApostrophe.size() : 1;
      continue;
    }
    at = word.end;
    words.push_back(std::move(word));
  }
  return words;
}

std::vector<Sentence> split_sentences(std::span<const SpokenLine> lines) {
  std::vector<Sentence> sentences;
  for (std::size_t line = 0; line < lines.size(); ++line) {
    const std::string_view text = lines[line].text;
    int number = 0;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = sentence_end(text, begin);
      Sentence sentence{line, number, std::string(trimmed(text.substr(begin, end - begin))), {}};
      begin = end;
      sentence.words = split_words(sentence.text);
      if (sentence.words.empty()) continue;
      sentence.question = sentence.text.ends_with('?');
      ++number;
      sentences.push_back(std::move(sentence));
      if (sentences.size() == kSentencesMax) return sentences;
    }
  }
  return sentences;
}

bool is_stop_word(std::string_view word) noexcept {
  // Sorted, for the binary search.
  static constexpr auto kWords = std::to_array<std::string_view>(
      {"a",     "about",     "actually", "after",     "again",   "ah",       "all",    "alright",
       "also",  "am",        "an",       "and",       "any",     "anyway",   "are",    "around",
       "as",    "at",        "back",     "basically", "be",      "because",  "been",   "before",
       "being", "bit",       "but",      "by",        "can",     "can't",    "come",   "could",
       "did",   "didn't",    "do",       "does",      "doesn't", "doing",    "don't",  "done",
       "down",  "each",      "else",     "even",      "every",   "for",      "from",   "get",
       "go",    "going",     "gonna",    "good",      "got",     "guess",    "had",    "has",
       "have",  "he",        "her",      "here",      "hey",     "him",      "his",    "how",
       "i",     "i'd",       "i'll",     "i'm",       "i've",    "if",       "in",     "into",
       "is",    "isn't",     "it",       "it's",      "its",     "just",     "kind",   "know",
       "let",   "let's",     "like",     "little",    "look",    "lot",      "make",   "many",
       "may",   "maybe",     "me",       "mean",      "might",   "more",     "most",   "much",
       "must",  "my",        "need",     "no",        "not",     "now",      "of",     "off",
       "oh",    "ok",        "okay",     "on",        "one",     "only",     "or",     "other",
       "our",   "out",       "over",     "own",       "please",  "probably", "quite",  "really",
       "right", "said",      "same",     "say",       "see",     "she",      "should", "so",
       "some",  "something", "sort",     "still",     "stuff",   "such",     "sure",   "take",
       "than",  "thank",     "thanks",   "that",      "that's",  "the",      "their",  "them",
       "then",  "there",     "there's",  "these",     "they",    "they're",  "thing",  "things",
       "think", "this",      "those",    "through",   "to",      "too",      "uh",     "um",
       "up",    "us",        "very",     "want",      "was",     "way",      "we",     "we'll",
       "we're", "we've",     "well",     "were",      "what",    "when",     "where",  "which",
       "while", "who",       "why",      "will",      "with",    "would",    "yeah",   "yes",
       "yet",   "you",       "you're",   "your"});
  static_assert(std::is_sorted(kWords.begin(), kWords.end()));
  return std::binary_search(kWords.begin(), kWords.end(), word);
}

}  // namespace qylon::api
