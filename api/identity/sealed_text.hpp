#pragma once
/// Secrets as the database keeps them: sealed by the identity key, in hexadecimal.

#include <optional>
#include <string>
#include <string_view>

#include "core/seal.hpp"

namespace qylon::api {

/// For decode($n, 'hex'). It opens only with the same `context`, which names the row.
std::string seal_text(const SealKey& key, std::string_view context, std::string_view secret);
/// The inverse, of encode(column, 'hex'). Nothing: another key or row, or damage.
std::optional<std::string> open_sealed(const SealKey& key,
                                       std::string_view context,
                                       std::string_view sealed);

}  // namespace qylon::api
