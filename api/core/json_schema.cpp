#include "api/core/json_schema.hpp"

#include <cstdint>
#include <limits>

#include <nlohmann/json.hpp>

namespace qylon::api {
namespace {

using Json = nlohmann::ordered_json;

Json type_schema(FieldType type) {
  switch (type) {
    case FieldType::kText:
      return {{"type", "string"}};
    case FieldType::kEmail:
      return {{"type", "string"}, {"format", "email"}};
    case FieldType::kUuid:
      return {{"type", "string"}, {"format", "uuid"}};
    case FieldType::kInteger:
      return {{"type", "integer"},
              {"format", "int32"},
              {"minimum", std::numeric_limits<std::int32_t>::min()},
              {"maximum", std::numeric_limits<std::int32_t>::max()}};
    case FieldType::kBigInteger:
      return {{"type", "integer"}, {"format", "int64"}};
    case FieldType::kNumber:
      return {{"type", "number"}};
    case FieldType::kReal:
      return {{"type", "number"}, {"format", "float"}};
    case FieldType::kFlag:
      return {{"type", "boolean"}};
    case FieldType::kTime:
      return {{"type", "string"}, {"format", "date-time"}};
    case FieldType::kDate:
      return {{"type", "string"}, {"format", "date"}};
    case FieldType::kDocument:
      return {{"type", Json::array({"object", "array"})}};
    case FieldType::kTexts:
      return {{"type", "array"}, {"items", {{"type", "string"}}}};
    case FieldType::kBytes:
      return {{"type", "string"}, {"contentEncoding", "base64"}};
    case FieldType::kSearch:
      break;
  }
  return Json::object();
}

void allow_null(Json& schema) {
  Json& type = schema["type"];
  if (!type.is_array()) type = Json::array({type});
  type.push_back("null");
  if (schema.contains("enum")) schema["enum"].push_back(nullptr);
}

bool is_shown(const Field& field, Shape shape) {
  return shape == Shape::kRow ? !field.secret : !field.read_only;
}

bool is_required(const Field& field, Shape shape) {
  if (shape == Shape::kRow) return true;
  return shape == Shape::kNew && field.required && field.default_sql.empty();
}

}  // namespace

Json schema_of(const Field& field) {
  Json schema = type_schema(field.type);
  if (!field.one_of.empty()) schema["enum"] = field.one_of;
  if (field.max > 0) schema[field.type == FieldType::kTexts ? "maxItems" : "maxLength"] = field.max;
  if (!field.required) allow_null(schema);
  return schema;
}

Json schema_of(std::span<const Field> fields, Shape shape) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Field& field : fields) {
    if (!is_shown(field, shape)) continue;
    properties[field.name] = schema_of(field);
    if (is_required(field, shape)) required.push_back(field.name);
  }
  Json schema{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  if (shape != Shape::kRow) schema["additionalProperties"] = false;
  if (shape == Shape::kPatch) schema["minProperties"] = 1;
  return schema;
}

}  // namespace qylon::api
