#pragma once
/// JSON from strangers where a second reading must not find something else. Include in .cpp only.

#include <string_view>

#include <nlohmann/json.hpp>

#include "core/result.hpp"

namespace qylon::api {

using Json = nlohmann::json;

/// An object in UTF-8 without members that appear twice, without U+0000 (which PostgreSQL cannot
/// keep), nesting at most `depth_max` levels. Errors: kInvalidArgument that says what it is not.
Result<Json> parse_strict_object(std::string_view text, int depth_max);

}  // namespace qylon::api
