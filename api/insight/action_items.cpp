#include "api/insight/action_items.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "api/insight/due_date.hpp"

namespace qylon::api {
namespace {

enum class Who : std::uint8_t { kSpeaker, kGroup, kAddressed, kNamed };

struct Phrase {
  std::string_view words;  ///< Separated by spaces; "*" stands for a participant's name.
  Who who;
  float confidence;
};

// The longest first where one begins another.
constexpr auto kPhrases = std::to_array<Phrase>({
    {"action item for *", Who::kNamed, 0.95F},
    {"action item is to", Who::kGroup, 0.95F},
    {"action item", Who::kGroup, 0.9F},
    {"next step is to", Who::kGroup, 0.9F},
    {"* can you please", Who::kNamed, 0.9F},
    {"* could you please", Who::kNamed, 0.9F},
    {"* can you", Who::kNamed, 0.9F},
    {"* could you", Who::kNamed, 0.9F},
    {"* would you", Who::kNamed, 0.9F},
    {"* please", Who::kNamed, 0.9F},
    {"* is going to", Who::kNamed, 0.8F},
    {"* needs to", Who::kNamed, 0.8F},
    {"* has to", Who::kNamed, 0.8F},
    {"* should", Who::kNamed, 0.7F},
    {"* must", Who::kNamed, 0.8F},
    {"* will", Who::kNamed, 0.85F},
    {"i am going to", Who::kSpeaker, 0.8F},
    {"i'm going to", Who::kSpeaker, 0.8F},
    {"i'm gonna", Who::kSpeaker, 0.75F},
    {"i promise to", Who::kSpeaker, 0.9F},
    {"i need to", Who::kSpeaker, 0.7F},
    {"i have to", Who::kSpeaker, 0.65F},
    {"i will", Who::kSpeaker, 0.85F},
    {"i'll", Who::kSpeaker, 0.85F},
    {"i can", Who::kSpeaker, 0.55F},
    {"let me", Who::kSpeaker, 0.5F},
    {"can you please", Who::kAddressed, 0.75F},
    {"could you please", Who::kAddressed, 0.75F},
    {"can you", Who::kAddressed, 0.65F},
    {"could you", Who::kAddressed, 0.65F},
    {"would you", Who::kAddressed, 0.6F},
    {"you need to", Who::kAddressed, 0.65F},
    {"you should", Who::kAddressed, 0.5F},
    {"please", Who::kAddressed, 0.65F},
    {"we are going to", Who::kGroup, 0.6F},
    {"we're going to", Who::kGroup, 0.6F},
    {"we need to", Who::kGroup, 0.7F},
    {"we have to", Who::kGroup, 0.65F},
    {"we should", Who::kGroup, 0.55F},
    {"we must", Who::kGroup, 0.7F},
    {"we will", Who::kGroup, 0.6F},
    {"we'll", Who::kGroup, 0.6F},
    {"let us", Who::kGroup, 0.5F},
    {"let's", Who::kGroup, 0.5F},
});

constexpr auto kVerbs = std::to_array<std::string_view>(
    {"add",      "announce",  "arrange",   "ask",      "assign",      "book",      "bring",
     "build",    "buy",       "call",      "change",   "check",       "circulate", "clean",
     "close",    "collect",   "compare",   "complete", "confirm",     "contact",   "coordinate",
     "create",   "define",    "deliver",   "deploy",   "design",      "discuss",   "document",
     "draft",    "email",     "escalate",  "estimate", "evaluate",    "file",      "finalise",
     "finalize", "find",      "finish",    "fix",      "follow",      "forward",   "handle",
     "hire",     "implement", "inform",    "invest",   "investigate", "invite",    "mail",
     "measure",  "merge",     "migrate",   "move",     "negotiate",   "notify",    "open",
     "order",    "organise",  "organize",  "own",      "pay",         "ping",      "plan",
     "prepare",  "present",   "print",     "provide",  "publish",     "reach",     "remove",
     "rename",   "replace",   "report",    "research", "resolve",     "review",    "revise",
     "rewrite",  "schedule",  "send",      "set",      "share",       "ship",      "sign",
     "submit",   "summarise", "summarize", "sync",     "test",        "update",    "upload",
     "write"});

constexpr std::array<std::string_view, 12> kBetween{"also",
                                                    "and",
                                                    "definitely",
                                                    "go",
                                                    "ahead",
                                                    "just",
                                                    "please",
                                                    "quickly",
                                                    "then",
                                                    "to",
                                                    "try",
                                                    "personally"};
constexpr std::size_t kBetweenMax = 3;
constexpr std::size_t kItemWordsMax = 25;

template <typename Words>
bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// First names as said, to the speaker's name.
using Names = std::map<std::string, std::string, std::less<>>;

Names names_of(std::span<const SpokenLine> lines) {
  Names names;
  for (const SpokenLine& line : lines) {
    const auto words = split_words(line.speaker);
    // "Speaker 2" is nobody's name.
    if (!words.empty() && words.front().text != "speaker")
      names.emplace(words.front().text, line.speaker);
  }
  return names;
}

struct Match {
  const Phrase* phrase = nullptr;
  std::size_t end = 0;   ///< Behind the phrase.
  std::string assignee;  ///< Where a name is part of it.
};

class Finder {
 public:
  Finder(std::span<const SpokenLine> lines, std::chrono::year_month_day said_on)
      : lines_(lines), said_on_(said_on), names_(names_of(lines)) {}

  void look_at(const Sentence& sentence);
  std::vector<ActionItem> take() { return std::move(items_); }

 private:
  Match match_at(const Sentence& sentence, std::size_t at) const;
  static std::size_t match_phrase(const Phrase& phrase,
                                  const Sentence& sentence,
                                  std::size_t at,
                                  const Names& names,
                                  std::string& assignee);
  /// Place of the verb of doing behind the phrase; nothing when there is none.
  static std::optional<std::size_t> verb_after(const Sentence& sentence, const Match& match);
  void add(const Sentence& sentence, const Match& match, std::size_t verb, std::size_t end);

  const std::span<const SpokenLine> lines_;
  const std::chrono::year_month_day said_on_;
  const Names names_;
  std::vector<ActionItem> items_;
};

std::size_t Finder::match_phrase(const Phrase& phrase,
                                 const Sentence& sentence,
                                 std::size_t at,
                                 const Names& names,
                                 std::string& assignee) {
  std::string_view rest = phrase.words;
  for (; !rest.empty(); ++at) {
    if (at == sentence.words.size()) return 0;
    const std::string_view wanted = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), wanted.size() + 1));
    const std::string& word = sentence.words[at].text;
    if (wanted != "*") {
      if (word != wanted) return 0;
      continue;
    }
    const auto name = names.find(word);
    if (name == names.end()) return 0;
    assignee = name->second;
  }
  return at;
}

Match Finder::match_at(const Sentence& sentence, std::size_t at) const {
  for (const Phrase& phrase : kPhrases) {
    std::string assignee;
    const std::size_t end = match_phrase(phrase, sentence, at, names_, assignee);
    if (end > 0) return {&phrase, end, std::move(assignee)};
  }
  return {};
}

std::optional<std::size_t> Finder::verb_after(const Sentence& sentence, const Match& match) {
  std::size_t at = match.end;
  const std::size_t limit = std::min(sentence.words.size(), at + kBetweenMax + 1);
  while (at < limit && contains(kBetween, sentence.words[at].text))
    ++at;
  if (at < limit && contains(kVerbs, sentence.words[at].text)) return at;
  return std::nullopt;
}

void Finder::add(const Sentence& sentence, const Match& match, std::size_t verb, std::size_t end) {
  const SpokenLine& line = lines_[sentence.line];
  const std::span<const SpokenWord> words(sentence.words);
  ActionItem item;
  item.line = sentence.line;
  if (!items_.empty() && items_.back().line == item.line) item.number = items_.back().number + 1;
  const std::size_t first = words[verb].begin;
  item.text = sentence.text.substr(first, words[end - 1].end - first);
  if (item.text[0] >= 'a' && item.text[0] <= 'z') item.text[0] -= 'a' - 'A';
  item.assignee = match.phrase->who == Who::kSpeaker ? line.speaker : match.assignee;
  item.due = due_date(words.subspan(verb, end - verb), said_on_);
  item.confidence = match.phrase->confidence;
  items_.push_back(std::move(item));
}

void Finder::look_at(const Sentence& sentence) {
  std::size_t at = 0;
  while (at < sentence.words.size() && items_.size() < kActionItemsMax) {
    const Match match = match_at(sentence, at);
    const auto verb = match.phrase == nullptr ? std::nullopt : verb_after(sentence, match);
    if (!verb) {
      ++at;
      continue;
    }
    // Speech without punctuation goes on: the next phrase begins the next item.
    std::size_t end = *verb + 1;
    const std::size_t limit = std::min(sentence.words.size(), *verb + kItemWordsMax);
    for (; end < limit; ++end) {
      const Match next = match_at(sentence, end);
      if (next.phrase != nullptr && verb_after(sentence, next)) break;
    }
    at = end;
    if (end < limit && sentence.words[end - 1].text == "and" && end - 1 > *verb) --end;
    add(sentence, match, *verb, end);
  }
}

}  // namespace

std::vector<ActionItem> find_action_items(std::span<const SpokenLine> lines,
                                          std::chrono::year_month_day said_on) {
  Finder finder(lines, said_on);
  for (const Sentence& sentence : split_sentences(lines))
    finder.look_at(sentence);
  return finder.take();
}

}  // namespace qylon::api
