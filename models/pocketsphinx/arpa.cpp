#include "models/pocketsphinx/arpa.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>

namespace qylon::models {
namespace {

constexpr double kKept = 0.5;  // Share of an n-gram's count that it keeps.
constexpr std::size_t kOrder = 3;

/// Count of each word sequence of 1..3 words, in order, so that equal input gives equal bytes.
using Counts = std::map<std::vector<std::string>, double>;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Adds every sequence of 1..3 words that begins at `start`.
void count_from(const std::vector<std::string>& words, std::size_t start, Counts& counts) {
  const auto first = words.begin() + static_cast<std::ptrdiff_t>(start);
  const std::size_t longest = std::min(kOrder, words.size() - start);
  for (std::size_t length = 1; length <= longest; ++length)
    counts[{first, first + static_cast<std::ptrdiff_t>(length)}] += 1;
}

Counts count_sequences(const std::vector<std::vector<std::string>>& sentences,
                       bool sentence_marks) {
  Counts counts;
  for (std::vector<std::string> words : sentences) {
    if (words.empty()) continue;
    if (sentence_marks) {
      words.insert(words.begin(), "<s>");
      words.emplace_back("</s>");
    }
    for (std::size_t start = 0; start < words.size(); ++start)
      count_from(words, start, counts);
  }
  return counts;
}

class Model {
 public:
  explicit Model(Counts counts) : counts_(std::move(counts)) {
    for (const auto& [sequence, count] : counts_) {
      if (sequence.size() == 1) words_total_ += count;
    }
    for (const auto& [sequence, count] : counts_) {
      if (sequence.size() > 1) continued_[prefix(sequence)] += probability_after_cut(sequence);
    }
  }

  std::string arpa() const {
    std::array<std::string, kOrder> sections;
    std::array<int, kOrder> sizes{};
    for (const auto& [sequence, count] : counts_) {
      const std::size_t order = sequence.size() - 1;
      ++sizes[order];
      append_line(sections[order], sequence);
    }
    std::string out = "\\data\\\n";
    for (std::size_t order = 0; order < kOrder; ++order) {
      if (sizes[order] > 0)
        out += "ngram " + std::to_string(order + 1) + "=" + std::to_string(sizes[order]) + "\n";
    }
    for (std::size_t order = 0; order < kOrder; ++order) {
      if (sizes[order] > 0)
        out += "\n\\" + std::to_string(order + 1) + "-grams:\n" + sections[order];
    }
    return out + "\n\\end\\\n";
  }

 private:
  static std::vector<std::string> prefix(const std::vector<std::string>& sequence) {
    return {sequence.begin(), sequence.end() - 1};
  }

  double probability(const std::vector<std::string>& sequence) const {
    const double count = counts_.at(sequence);
    if (sequence.size() == 1) return kKept * count / words_total_;
    return kKept * count / counts_.at(prefix(sequence));
  }

  /// What the shorter model says of the sequence's last word.
  double probability_after_cut(const std::vector<std::string>& sequence) const {
    return probability({sequence.begin() + 1, sequence.end()});
  }

  /// Weight of the shorter model after `sequence`: the half given away over what of the shorter
  /// model the seen continuations do not use already.
  double back_off(const std::vector<std::string>& sequence) const {
    const auto used = continued_.find(sequence);
    const double free = 1.0 - (used == continued_.end() ? 0.0 : used->second);
    return (1.0 - kKept) / std::max(free, 0.01);
  }

  void append_line(std::string& out, const std::vector<std::string>& sequence) const {
    std::array<char, 32> number{};
    std::snprintf(number.data(), number.size(), "%.4f", std::log10(probability(sequence)));
    out += number.data();
    for (const std::string& word : sequence)
      out += " " + word;
    if (sequence.size() < kOrder) {
      std::snprintf(number.data(), number.size(), " %.4f", std::log10(back_off(sequence)));
      out += number.data();
    }
    out += "\n";
  }

  const Counts counts_;
  double words_total_ = 0;
  std::map<std::vector<std::string>, double> continued_;
};

}  // namespace

std::vector<std::string> dictionary_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    while (!word.empty() && word.back() == '\'')
      word.pop_back();
    if (!word.empty()) words.push_back(word);
    word.clear();
  };
  for (const char c : text) {
    if (is_letter(c)) {
      word += static_cast<char>(c | 0x20);
    } else if (c == '\'') {
      if (!word.empty()) word += c;
    } else if (static_cast<unsigned char>(c) < 0x80) {
      finish();
    }
  }
  finish();
  return words;
}

std::string build_arpa(const std::vector<std::vector<std::string>>& sentences,
                       bool sentence_marks) {
  Counts counts = count_sequences(sentences, sentence_marks);
  if (counts.empty()) return {};
  return Model(std::move(counts)).arpa();
}

}  // namespace qylon::models
