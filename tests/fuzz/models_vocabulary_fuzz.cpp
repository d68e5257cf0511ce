// Meeting titles and names become dictionary words, pronunciations and a language model: whatever
// they hold, the words are plain letters and the model is finite.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/check.hpp"
#include "models/pocketsphinx/arpa.hpp"
#include "models/pocketsphinx/letter_to_sound.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using qylon::models::build_arpa;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::vector<std::string>> sentences;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    sentences.push_back(qylon::models::dictionary_words(text.substr(0, end)));
    text.remove_prefix(end);
  }
  for (const auto& words : sentences) {
    for (const std::string& word : words) {
      QYLON_CHECK(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz'") == std::string::npos);
      QYLON_CHECK(word.front() != '\'' && word.back() != '\'');
      if (const auto phones = qylon::models::letters_to_sound(word)) QYLON_CHECK(!phones->empty());
    }
  }
  for (const bool marks : {false, true}) {
    const std::string arpa = build_arpa(sentences, marks);
    QYLON_CHECK(arpa.empty() || arpa.ends_with("\\end\\\n"));
  }
  return 0;
}
