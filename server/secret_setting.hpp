#pragma once

#include <string>

#include "core/result.hpp"

namespace qylon::server {

/// What the file at `path` holds, without the newlines at its end; a little more than the longest
/// key set of what is longer.
/// Errors: kInvalidArgument that names `setting`.
Result<std::string> read_secret_file(const std::string& path, const char* setting);

}  // namespace qylon::server
