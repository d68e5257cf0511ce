#pragma once

namespace qylon::models {

/// `left.letter.right=phones` for each rule, joined by ';'; '#' stands for the word's edge.
const char* letter_rules() noexcept;

}  // namespace qylon::models
