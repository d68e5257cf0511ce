#pragma once
/// How an unknown English word is probably said.

#include <optional>
#include <string>
#include <string_view>

namespace qylon::models {

/// ARPAbet phones without stress, separated by spaces ("kowalska" -> "K OW AA L S K AH"); nothing
/// when `word` holds anything but a-z and inner apostrophes, or no vowel sound.
std::optional<std::string> letters_to_sound(std::string_view word);

}  // namespace qylon::models
