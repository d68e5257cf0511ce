#pragma once
/// JSON Schema 2020-12 of declared fields.

#include <cstdint>
#include <span>

#include <nlohmann/json_fwd.hpp>

#include "api/core/field.hpp"

namespace qylon::api {

enum class Shape : std::uint8_t {
  kRow,    ///< As the server answers: every column that is not secret.
  kNew,    ///< As a create takes it.
  kPatch,  ///< As a change takes it: every member may be absent.
};

nlohmann::ordered_json schema_of(const Field& field);
nlohmann::ordered_json schema_of(std::span<const Field> fields, Shape shape);

}  // namespace qylon::api
