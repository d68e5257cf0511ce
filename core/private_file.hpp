#pragma once
/// Small files that hold secrets: mode 0600, each there whole or not at all.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace qylon {

/// What the file holds; nothing when there is none.
/// Errors: kInvalidArgument when others can read it or it is longer than `bytes_max`; kUnavailable
/// when it cannot be read, or is a link. No message holds what is in it.
Result<std::optional<std::string>> read_private_file(const std::string& path,
                                                     std::size_t bytes_max);

/// On the disk before it returns. Keeps a file that is there already, so of processes that make one
/// at once all read the same afterwards. Errors: kUnavailable.
Status create_private_file(const std::string& path, std::string_view text);
/// As above, but takes its place.
Status replace_private_file(const std::string& path, std::string_view text);

}  // namespace qylon
