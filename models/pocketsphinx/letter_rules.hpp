#pragma once

namespace qylon::models {

/// `left.letter.right=phones` for each rule, joined by ';'; '#' stands for the word's edge.
extern const char* const kLetterRules;

}  // namespace qylon::models
