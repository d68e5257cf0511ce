#pragma once
/// Small language models from a few sentences: a meeting's vocabulary, or an organisation's texts.

#include <string>
#include <string_view>
#include <vector>

namespace qylon::models {

/// Lower-case words of a text in the form of the dictionary: letters and inner apostrophes; what
/// holds anything else is split or dropped. UTF-8 letters outside ASCII are dropped from words.
std::vector<std::string> dictionary_words(std::string_view text);

/// A back-off trigram model of `sentences` (lists of words) in ARPA format. Every n-gram seen keeps
/// half of its share, the other half backs off.
/// `sentence_marks` adds <s> and </s> around each sentence: for texts, not for single phrases.
/// Returns an empty string when there is no word.
/// Source: D. Jurafsky, J. Martin, "Speech and Language Processing", back-off with fixed discount,
///         as in CMU's quick_lm.
std::string build_arpa(const std::vector<std::vector<std::string>>& sentences, bool sentence_marks);

}  // namespace qylon::models
