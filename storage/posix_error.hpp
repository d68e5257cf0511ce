#pragma once

#include <string>
#include <string_view>
#include <system_error>

#include "core/result.hpp"

namespace qylon::storage {

/// "open /data/lock: Permission denied", from an errno value.
inline Error posix_error(std::string_view call, std::string_view path, int number) {
  return {
      ErrorCode::kUnavailable,
      std::string(call) + " " + std::string(path) + ": " + std::generic_category().message(number)};
}

}  // namespace qylon::storage
