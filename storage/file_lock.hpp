#pragma once
/// One server per data directory.

#include <string>

#include "core/result.hpp"
#include "core/unique_fd.hpp"

namespace qylon::storage {

/// Creates `path` (mode 0600) when missing and locks it until the result is closed or the process
/// ends, however it ends. A POSIX record lock: unlike flock(2), a child that outlives a killed
/// server does not keep it. It does not stand between two users in one process.
/// Errors: kConflict naming the process that holds it; kUnavailable with errno's text.
Result<UniqueFd> lock_file(const std::string& path);

}  // namespace qylon::storage
