#pragma once
/// Secrets of the data directory that lie there sealed by its master keys.

#include <functional>
#include <string>
#include <string_view>

#include "api/core/master_keys.hpp"
#include "core/result.hpp"

namespace qylon::api {

/// What such a file holds: `ID HEX`, the active master key's name and what it sealed for `context`.
std::string wrap(std::string_view context, std::string_view secret, const MasterKeys& masters);

/// The secret in the file at `path`; `make`'s when there is none yet. One that an older key sealed
/// is sealed by the active one from then on.
/// Errors: kInvalidArgument for a file that other keys sealed; those of core/private_file.hpp.
Result<std::string> load_or_create_wrapped(const std::string& path,
                                           std::string_view context,
                                           const MasterKeys& masters,
                                           const std::function<std::string()>& make);

}  // namespace qylon::api
