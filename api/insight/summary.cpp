#include "api/insight/summary.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

namespace qylon::api {
namespace {

constexpr std::size_t kComparedMax = 600;
constexpr std::size_t kWordsMin = 4;
constexpr double kDamping = 0.85;
constexpr int kRoundsMax = 50;
constexpr double kSettled = 1e-6;

struct Candidate {
  std::size_t sentence = 0;
  std::vector<int> words;  ///< Different ones with meaning, as sorted numbers.
};

std::vector<Candidate> candidates_of(std::span<const Sentence> sentences) {
  std::map<std::string, int> numbers;
  std::vector<Candidate> candidates;
  for (std::size_t at = 0; at < sentences.size(); ++at) {
    Candidate candidate{at, {}};
    for (const SpokenWord& word : sentences[at].words) {
      if (is_stop_word(word.text)) continue;
      const auto next = static_cast<int>(numbers.size());
      candidate.words.push_back(numbers.emplace(word.text, next).first->second);
    }
    std::sort(candidate.words.begin(), candidate.words.end());
    candidate.words.erase(std::unique(candidate.words.begin(), candidate.words.end()),
                          candidate.words.end());
    if (candidate.words.size() >= kWordsMin) candidates.push_back(std::move(candidate));
  }
  return candidates;
}

/// The richest in words, in their old order.
void keep_richest(std::vector<Candidate>& candidates) {
  if (candidates.size() <= kComparedMax) return;
  std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return a.words.size() > b.words.size();
  });
  candidates.resize(kComparedMax);
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return a.sentence < b.sentence;
  });
}

double similarity(const Candidate& a, const Candidate& b) {
  std::size_t shared = 0;
  for (std::size_t i = 0, j = 0; i < a.words.size() && j < b.words.size();) {
    if (a.words[i] == b.words[j]) ++shared;
    const bool step_both = a.words[i] == b.words[j];
    const bool step_a = a.words[i] < b.words[j];
    if (step_both || step_a) ++i;
    if (step_both || !step_a) ++j;
  }
  return static_cast<double>(shared) / (std::log(static_cast<double>(a.words.size())) +
                                        std::log(static_cast<double>(b.words.size())));
}

/// Row-major, symmetric, zero on the diagonal; each row is divided by its sum.
std::vector<double> transitions(const std::vector<Candidate>& candidates) {
  const std::size_t n = candidates.size();
  std::vector<double> weights(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j)
      weights[i * n + j] = weights[j * n + i] = similarity(candidates[i], candidates[j]);
  }
  for (std::size_t i = 0; i < n; ++i) {
    const auto row = weights.begin() + static_cast<std::ptrdiff_t>(i * n);
    const auto end = row + static_cast<std::ptrdiff_t>(n);
    const double sum = std::accumulate(row, end, 0.0);
    if (sum > 0) std::transform(row, end, row, [sum](double weight) { return weight / sum; });
  }
  return weights;
}

std::vector<double> page_rank(const std::vector<double>& weights, std::size_t n) {
  std::vector<double> scores(n, 1.0);
  for (int round = 0; round < kRoundsMax; ++round) {
    std::vector<double> next(n, 1 - kDamping);
    for (std::size_t from = 0; from < n; ++from) {
      const double given = kDamping * scores[from];
      for (std::size_t to = 0; to < n; ++to)
        next[to] += given * weights[from * n + to];
    }
    double moved = 0;
    for (std::size_t i = 0; i < n; ++i)
      moved = std::max(moved, std::abs(next[i] - scores[i]));
    scores = std::move(next);
    if (moved < kSettled) break;
  }
  return scores;
}

}  // namespace

std::vector<std::size_t> summarise(std::span<const Sentence> sentences, std::size_t count) {
  std::vector<Candidate> candidates = candidates_of(sentences);
  keep_richest(candidates);
  const std::vector<double> scores = page_rank(transitions(candidates), candidates.size());
  std::vector<std::size_t> best(candidates.size());
  std::iota(best.begin(), best.end(), std::size_t{0});
  std::stable_sort(best.begin(), best.end(), [&scores](std::size_t a, std::size_t b) {
    return scores[a] > scores[b];
  });
  best.resize(std::min(best.size(), count));
  std::transform(best.begin(), best.end(), best.begin(), [&candidates](std::size_t at) {
    return candidates[at].sentence;
  });
  std::sort(best.begin(), best.end());
  return best;
}

}  // namespace qylon::api
