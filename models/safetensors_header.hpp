#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace qylon::models {

/// What the JSON header of a safetensors file says, not yet held against the data.
struct WeightHeader {
  struct Entry {
    std::string type;  ///< "F32", "F16", ...
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0;  ///< Offsets into the data.
    std::uint64_t end = 0;
  };
  std::map<std::string, Entry, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;
};

/// Errors : kInvalidArgument that names the entry which has another form.
Result<WeightHeader> parse_weight_header(std::string_view json);

}  // namespace qylon::models
