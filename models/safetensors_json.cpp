#include <nlohmann/json.hpp>

#include "models/safetensors_header.hpp"

namespace qylon::models {
namespace {

using Json = nlohmann::json;

Error wrong(const std::string& name, std::string_view problem) {
  return Error{ErrorCode::kInvalidArgument,
               "weight file: entry '" + name + "' " + std::string(problem)};
}

const Json* member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

Result<std::vector<std::uint64_t>> whole_numbers(const std::string& name, const Json* list) {
  constexpr std::size_t kCountMax = 8;
  if (list == nullptr || !list->is_array() || list->size() > kCountMax) {
    return wrong(name, "needs shape and data_offsets, lists of at most 8 whole numbers");
  }
  std::vector<std::uint64_t> numbers;
  for (const Json& number : *list) {
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() > (1ULL << 40)) {
      return wrong(name, "has a shape or offset that is no whole number up to 2^40");
    }
    numbers.push_back(number.get<std::uint64_t>());
  }
  return numbers;
}

Result<WeightHeader::Entry> parse_entry(const std::string& name, const Json& value) {
  if (!value.is_object()) return wrong(name, "is no object");
  const Json* type = member(value, "dtype");
  if (type == nullptr || !type->is_string()) return wrong(name, "has no dtype");
  const auto shape = whole_numbers(name, member(value, "shape"));
  if (!shape) return shape.error();
  const auto offsets = whole_numbers(name, member(value, "data_offsets"));
  if (!offsets) return offsets.error();
  if (offsets->size() != 2) return wrong(name, "needs two data_offsets");
  WeightHeader::Entry entry{type->get<std::string>(), {}, (*offsets)[0], (*offsets)[1]};
  entry.shape.assign(shape->begin(), shape->end());
  return entry;
}

Status parse_metadata(const Json& value, WeightHeader& header) {
  if (!value.is_object()) return wrong("__metadata__", "is no object");
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) return wrong("__metadata__", "holds something that is no string");
    header.metadata[key] = text.get<std::string>();
  }
  return ok();
}

/// Deeper nesting than the format has is refused before it can exhaust the stack.
bool is_shallow(std::string_view json) {
  int depth = 0;
  for (const char c : json) {
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > 16) return false;
  }
  return true;
}

}  // namespace

Result<WeightHeader> parse_weight_header(std::string_view json) {
  if (!is_shallow(json)) return wrong("", "is nested too deeply");
  const Json document = Json::parse(json, nullptr, false);
  if (document.is_discarded() || !document.is_object()) {
    return Error{ErrorCode::kInvalidArgument, "weight file: the header is no JSON object"};
  }
  WeightHeader header;
  for (const auto& [name, value] : document.items()) {
    if (name == "__metadata__") {
      const Status status = parse_metadata(value, header);
      if (!status) return status.error();
      continue;
    }
    Result<WeightHeader::Entry> entry = parse_entry(name, value);
    if (!entry) return entry.error();
    header.tensors[name] = *std::move(entry);
  }
  return header;
}

}  // namespace qylon::models
