#include "api/core/field.hpp"

namespace qylon::api {

const char* sql_type(FieldType type) noexcept {
  switch (type) {
    case FieldType::kText:
    case FieldType::kEmail:
      return "text";
    case FieldType::kUuid:
      return "uuid";
    case FieldType::kInteger:
      return "integer";
    case FieldType::kBigInteger:
      return "bigint";
    case FieldType::kNumber:
      return "numeric";
    case FieldType::kReal:
      return "real";
    case FieldType::kFlag:
      return "boolean";
    case FieldType::kTime:
      return "timestamp with time zone";
    case FieldType::kDate:
      return "date";
    case FieldType::kDocument:
      return "jsonb";
    case FieldType::kTexts:
      return "text[]";
    case FieldType::kBytes:
      return "bytea";
    case FieldType::kSearch:
      return "tsvector";
  }
  return "text";
}

}  // namespace qylon::api
