#include "models/pocketsphinx/letter_to_sound.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

#include "models/pocketsphinx/letter_rules.hpp"

namespace qylon::models {
namespace {

constexpr std::size_t kLettersMax = 40;

using Rules = std::unordered_map<std::string_view, std::string_view>;

/// Keys and values point into letter_rules(), which lives as long as the program.
Rules read_rules() {
  Rules rules;
  std::string_view left = letter_rules();
  while (!left.empty()) {
    const std::size_t end = std::min(left.find(';'), left.size());
    const std::string_view rule = left.substr(0, end);
    const std::size_t equals = rule.find('=');
    rules.emplace(rule.substr(0, equals), rule.substr(equals + 1));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return rules;
}

std::string rule_key(std::string_view left, char letter, std::string_view right) {
  std::string key(left);
  key += '.';
  key += letter;
  key += '.';
  return key.append(right);
}

/// Contexts grow outwards, right side first, as train_letters.py made them; the largest rule wins.
std::string_view phones_of_letter(const Rules& rules, std::string_view padded, std::size_t at) {
  constexpr std::string_view kGrowth = "RLRLRLR";
  std::string_view phones;
  std::size_t left = 0;
  std::size_t right = 0;
  for (std::size_t step = 0; step <= kGrowth.size(); ++step) {
    if (step > 0) {
      const bool to_right = kGrowth[step - 1] == 'R';
      const bool at_edge = to_right ? at + right + 1 >= padded.size() : left >= at;
      if (at_edge) continue;
      ++(to_right ? right : left);
    }
    const auto found = rules.find(
        rule_key(padded.substr(at - left, left), padded[at], padded.substr(at + 1, right)));
    if (found != rules.end()) phones = found->second;
  }
  return phones;
}

bool has_vowel(std::string_view phones) {
  return phones.find_first_of("AEIOU") != std::string_view::npos;
}

}  // namespace

std::optional<std::string> letters_to_sound(std::string_view word) {
  static const Rules rules = read_rules();
  std::string padded = "#";
  for (const char c : word) {
    if (c == '\'') continue;
    if (c < 'a' || c > 'z') return std::nullopt;
    padded += c;
  }
  padded += '#';
  if (padded.size() < 3 || padded.size() > kLettersMax + 2) return std::nullopt;
  std::string phones;
  for (std::size_t at = 1; at + 1 < padded.size(); ++at) {
    const std::string_view part = phones_of_letter(rules, padded, at);
    if (part.empty()) continue;
    if (!phones.empty()) phones += ' ';
    phones += part;
  }
  if (!has_vowel(phones)) return std::nullopt;
  return phones;
}

}  // namespace qylon::models
