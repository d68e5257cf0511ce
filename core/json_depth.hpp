#pragma once

#include <string_view>

namespace qylon {

/// Whether brackets nest deeper than `depth_max` levels, looked at before a parser builds anything,
/// so that a bomb costs one walk over its bytes. Brackets inside strings do not count. Says nothing
/// about whether `text` is JSON.
bool json_is_deeper_than(std::string_view text, int depth_max) noexcept;

}  // namespace qylon
