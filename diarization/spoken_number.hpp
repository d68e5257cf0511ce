#pragma once

#include <string>
#include <string_view>

namespace qylon::diarization {

/// Appends how digits are read in English, words separated by spaces: "42" -> "forty two",
/// "1905" -> "one thousand nine hundred five". More than six digits, or a leading zero, are read
/// one by one. REQUIRES: `digits` is not empty and holds only '0'..'9'.
void append_spoken_number(std::string& out, std::string_view digits);

}  // namespace qylon::diarization
