#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace qylon::loadgen {

/// Broken promises: all are counted, the first 20 are kept in words.
class Findings {
 public:
  void add(std::string what) {
    ++count_;
    if (words_.size() < kWordsMax) words_.push_back(std::move(what));
  }
  void add(const Findings& other) {
    count_ += other.count_;
    for (const std::string& what : other.words_) {
      if (words_.size() < kWordsMax) words_.push_back(what);
    }
  }
  std::uint64_t count() const noexcept { return count_; }
  const std::vector<std::string>& words() const noexcept { return words_; }

 private:
  static constexpr std::size_t kWordsMax = 20;

  std::uint64_t count_ = 0;
  std::vector<std::string> words_;
};

}  // namespace qylon::loadgen
