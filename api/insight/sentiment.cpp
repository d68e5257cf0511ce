#include "api/insight/sentiment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace qylon::api {
namespace {

struct Valence {
  std::string_view word;
  double weight;
};

// Sorted, for the binary search.
constexpr auto kLexicon = std::to_array<Valence>({
    {"able", 0.8},
    {"afraid", -2.0},
    {"agree", 1.5},
    {"agreed", 1.4},
    {"amazing", 2.8},
    {"angry", -2.3},
    {"annoyed", -1.8},
    {"annoying", -1.8},
    {"anxious", -1.7},
    {"appreciate", 1.9},
    {"awesome", 3.1},
    {"awful", -2.6},
    {"bad", -2.5},
    {"beautiful", 2.7},
    {"best", 3.0},
    {"better", 1.9},
    {"blocked", -1.5},
    {"blocker", -1.6},
    {"blocking", -1.4},
    {"boring", -1.5},
    {"brilliant", 2.8},
    {"broke", -1.8},
    {"broken", -2.0},
    {"bug", -1.2},
    {"bugs", -1.2},
    {"celebrate", 2.4},
    {"clear", 1.3},
    {"complain", -1.6},
    {"complaint", -1.6},
    {"complaints", -1.6},
    {"concern", -1.2},
    {"concerned", -1.4},
    {"concerns", -1.2},
    {"confident", 2.0},
    {"confused", -1.4},
    {"confusing", -1.4},
    {"congratulations", 2.8},
    {"cool", 1.3},
    {"crash", -1.8},
    {"crashed", -1.9},
    {"crashes", -1.8},
    {"delay", -1.4},
    {"delayed", -1.3},
    {"delays", -1.4},
    {"delighted", 2.9},
    {"difficult", -1.5},
    {"disagree", -1.6},
    {"disappointed", -2.1},
    {"disappointing", -2.1},
    {"disaster", -3.0},
    {"easy", 1.8},
    {"enjoy", 2.1},
    {"enjoyed", 2.2},
    {"error", -1.5},
    {"errors", -1.5},
    {"excellent", 2.9},
    {"excited", 2.2},
    {"exciting", 2.2},
    {"fail", -2.3},
    {"failed", -2.2},
    {"failing", -2.2},
    {"fails", -2.1},
    {"failure", -2.3},
    {"fantastic", 2.8},
    {"fine", 0.9},
    {"frustrated", -2.2},
    {"frustrating", -2.1},
    {"fun", 2.2},
    {"glad", 2.0},
    {"good", 1.9},
    {"great", 3.0},
    {"happy", 2.7},
    {"hard", -0.8},
    {"hate", -2.7},
    {"helpful", 1.9},
    {"helps", 1.4},
    {"horrible", -2.6},
    {"hurt", -2.0},
    {"impossible", -1.6},
    {"impressed", 2.1},
    {"impressive", 2.3},
    {"improve", 1.6},
    {"improved", 1.8},
    {"improvement", 1.7},
    {"issue", -0.9},
    {"issues", -1.0},
    {"late", -0.9},
    {"lose", -1.7},
    {"losing", -1.7},
    {"lost", -1.4},
    {"love", 3.0},
    {"lovely", 2.7},
    {"mess", -1.6},
    {"messy", -1.5},
    {"miss", -0.8},
    {"missed", -1.2},
    {"mistake", -1.7},
    {"mistakes", -1.7},
    {"nice", 1.9},
    {"outage", -2.0},
    {"painful", -1.9},
    {"perfect", 2.8},
    {"pleasant", 2.2},
    {"pleased", 2.0},
    {"poor", -2.0},
    {"problem", -1.7},
    {"problems", -1.7},
    {"progress", 1.6},
    {"promising", 1.7},
    {"proud", 2.2},
    {"regret", -1.7},
    {"reliable", 1.7},
    {"risk", -1.2},
    {"risky", -1.4},
    {"sad", -2.1},
    {"satisfied", 1.9},
    {"scared", -1.9},
    {"slow", -1.0},
    {"solid", 1.4},
    {"solved", 1.6},
    {"sorry", -0.4},
    {"stress", -1.7},
    {"stressed", -1.8},
    {"stuck", -1.2},
    {"succeed", 2.2},
    {"success", 2.5},
    {"successful", 2.5},
    {"terrible", -2.6},
    {"thank", 1.5},
    {"thanks", 1.6},
    {"trouble", -1.7},
    {"ugly", -2.2},
    {"unacceptable", -2.2},
    {"unhappy", -1.9},
    {"upset", -1.7},
    {"useful", 1.8},
    {"useless", -1.9},
    {"win", 2.5},
    {"wonderful", 2.8},
    {"worried", -1.5},
});
constexpr auto kNegations = std::to_array<std::string_view>(
    {"no",      "not",    "never",     "nothing",  "without",  "can't",   "cannot",
     "don't",   "didn't", "doesn't",   "isn't",    "wasn't",   "won't",   "aren't",
     "weren't", "hardly", "shouldn't", "wouldn't", "couldn't", "haven't", "nobody"});
constexpr std::array<std::string_view, 10> kMore{"absolutely",
                                                 "completely",
                                                 "especially",
                                                 "extremely",
                                                 "incredibly",
                                                 "really",
                                                 "so",
                                                 "super",
                                                 "totally",
                                                 "very"};
constexpr std::array<std::string_view, 6> kLess{"barely",
                                                "kinda",
                                                "partly",
                                                "slightly",
                                                "somewhat",
                                                "sorta"};

constexpr double kBoost = 0.293;
constexpr double kNegate = -0.74;
constexpr double kNormalise = 15;
constexpr std::size_t kReach = 3;  ///< Words before that change a word's weight.

template <typename Words>
bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

double weight_of(std::string_view word) {
  static_assert(std::is_sorted(kLexicon.begin(),
                               kLexicon.end(),
                               [](const Valence& a, const Valence& b) { return a.word < b.word; }));
  const auto found = std::lower_bound(
      kLexicon.begin(), kLexicon.end(), word, [](const Valence& entry, std::string_view text) {
        return entry.word < text;
      });
  return found != kLexicon.end() && found->word == word ? found->weight : 0;
}

/// The weight of word `at` after what stands before it.
double weight_in_place(std::span<const SpokenWord> words, std::size_t at) {
  double weight = weight_of(words[at].text);
  if (weight == 0) return 0;
  const double sign = weight < 0 ? -1 : 1;
  bool negated = false;
  for (std::size_t back = 1; back <= kReach && back <= at; ++back) {
    const std::string& before = words[at - back].text;
    // VADER: a booster counts for less the further away it stands.
    const double fading = back == 1 ? 1 : back == 2 ? 0.95 : 0.9;
    if (contains(kMore, before)) weight += sign * kBoost * fading;
    if (contains(kLess, before)) weight -= sign * kBoost * fading;
    negated = negated || contains(kNegations, before);
  }
  return negated ? weight * kNegate : weight;
}

}  // namespace

double sentiment(std::span<const SpokenWord> words) {
  double sum = 0;
  for (std::size_t at = 0; at < words.size(); ++at)
    sum += weight_in_place(words, at);
  return sum / std::sqrt(sum * sum + kNormalise);
}

}  // namespace qylon::api
