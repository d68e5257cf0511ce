#include "api/export/cues.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <string_view>

#include "api/export/line_text.hpp"
#include "core/utf8.hpp"

namespace qylon::api {
namespace {

struct Token {
  std::string text;
  std::size_t columns = 0;
  std::int64_t start_ms = 0;
  std::int64_t end_ms = 0;
};
using Tokens = std::span<const Token>;

std::vector<Token> split_words(std::string_view line) {
  std::vector<Token> tokens;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    tokens.push_back({std::string(word), count_code_points(word)});
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return tokens;
}

/// True when the recogniser's words are the tokens, one for one, so that their times apply.
bool matches(const std::vector<Token>& tokens, const std::vector<Word>& words) {
  return std::equal(tokens.begin(),
                    tokens.end(),
                    words.begin(),
                    words.end(),
                    [](const Token& token, const Word& word) { return token.text == word.text; });
}

void share_out_time(std::vector<Token>& tokens, const Caption& caption) {
  std::size_t total = 0;
  for (const Token& token : tokens)
    total += token.columns + 1;
  const std::int64_t duration_ms = caption.end_ms - caption.start_ms;
  std::size_t before = 0;
  for (Token& token : tokens) {
    const auto at = [&](std::size_t columns) {
      const double share = static_cast<double>(columns) / static_cast<double>(total);
      return caption.start_ms + static_cast<std::int64_t>(share * static_cast<double>(duration_ms));
    };
    token.start_ms = at(before);
    before += token.columns + 1;
    token.end_ms = at(before);
  }
}

/// The caption's tokens with times that never run backwards and fill the caption's own span.
std::vector<Token> timed_tokens(const Caption& caption) {
  std::vector<Token> tokens = split_words(one_line(caption.text));
  share_out_time(tokens, caption);
  if (matches(tokens, caption.words)) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      tokens[i].start_ms = caption.words[i].start_ms;
      tokens[i].end_ms = caption.words[i].end_ms;
    }
  }
  tokens.front().start_ms = caption.start_ms;
  tokens.back().end_ms = caption.end_ms;
  std::int64_t reached_ms = caption.start_ms;
  for (Token& token : tokens) {
    token.start_ms = std::clamp(token.start_ms, reached_ms, std::max(reached_ms, caption.end_ms));
    token.end_ms =
        std::clamp(token.end_ms, token.start_ms, std::max(token.start_ms, caption.end_ms));
    reached_ms = token.end_ms;
  }
  return tokens;
}

std::size_t columns_of(Tokens tokens) {
  std::size_t columns = tokens.empty() ? 0 : tokens.size() - 1;
  for (const Token& token : tokens)
    columns += token.columns;
  return columns;
}

/// How many tokens the first of two lines takes so that the longer one is shortest; all of them
/// when they fit in one line. `indent` columns of the first line are taken.
std::size_t first_line_tokens(Tokens tokens, std::size_t indent, std::size_t columns_max) {
  const std::size_t all = columns_of(tokens);
  if (indent + all <= columns_max) return tokens.size();
  std::size_t best = tokens.size();
  std::size_t best_columns = std::numeric_limits<std::size_t>::max();
  std::size_t first = indent;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    first += tokens[i].columns + (i > 0 ? 1 : 0);
    const std::size_t second = columns_of(tokens.subspan(i + 1));
    const std::size_t longer = std::max(first, second);
    if (longer >= best_columns) continue;
    best_columns = longer;
    best = i + 1;
  }
  return best;
}

/// Whether two lines hold the tokens.
bool fits(Tokens tokens, std::size_t indent, std::size_t columns_max) {
  const std::size_t first = first_line_tokens(tokens, indent, columns_max);
  return indent + columns_of(tokens.first(first)) <= columns_max &&
         columns_of(tokens.subspan(first)) <= columns_max;
}

/// How many of `tokens` the next cue takes: at least one.
std::size_t next_cue_tokens(Tokens tokens, std::size_t indent, const CueLimits& limits) {
  std::size_t count = 1;
  while (count < tokens.size()) {
    const Token& next = tokens[count];
    if (next.start_ms - tokens[count - 1].end_ms >= limits.pause_ms) break;
    if (next.end_ms - tokens[0].start_ms > limits.duration_ms) break;
    if (!fits(tokens.first(count + 1), indent, limits.columns_max)) break;
    ++count;
  }
  return count;
}

std::string joined(Tokens tokens) {
  std::string line;
  for (const Token& token : tokens)
    line += (line.empty() ? "" : " ") + token.text;
  return line;
}

Cue make_cue(Tokens tokens, std::size_t indent, const CueLimits& limits) {
  Cue cue;
  cue.start_ms = std::max<std::int64_t>(tokens.front().start_ms, 0);
  // At least 1 ms: WebVTT section 4.1 wants an end after the start.
  cue.end_ms =
      std::clamp(tokens.back().end_ms, cue.start_ms + 1, cue.start_ms + limits.duration_ms);
  const std::size_t first = first_line_tokens(tokens, indent, limits.columns_max);
  cue.lines.push_back(joined(tokens.first(first)));
  if (first < tokens.size()) cue.lines.push_back(joined(tokens.subspan(first)));
  return cue;
}

std::size_t name_columns(const Caption& caption) {
  const std::size_t columns = count_code_points(speaker_label(caption.speaker));
  return columns > kInlineNameColumnsMax ? 0 : columns + 2;  // ": "
}

}  // namespace

std::vector<Cue> make_cues(const Transcript& transcript, const CueLimits& limits) {
  std::vector<Cue> cues;
  for (const Caption* caption : printable_captions(transcript)) {
    const std::vector<Token> tokens = timed_tokens(*caption);
    Tokens left(tokens);
    for (std::size_t part = 1; !left.empty(); ++part) {
      const std::size_t indent = limits.room_for_name && part == 1 ? name_columns(*caption) : 0;
      const std::size_t count = next_cue_tokens(left, indent, limits);
      Cue cue = make_cue(left.first(count), indent, limits);
      cue.caption = caption;
      cue.part = part;
      cues.push_back(std::move(cue));
      left = left.subspan(count);
    }
  }
  std::stable_sort(
      cues.begin(), cues.end(), [](const Cue& a, const Cue& b) { return a.start_ms < b.start_ms; });
  return cues;
}

}  // namespace qylon::api
