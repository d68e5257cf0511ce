#pragma once
/// The one check of bodies against declared fields.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/core/field.hpp"
#include "core/problem_json.hpp"

namespace qylon::api {

enum class Completeness : std::uint8_t {
  kWhole,  ///< Required members without a default must be there.
  kPart,   ///< Only what is there counts: a PATCH.
};

struct CheckedBody {
  std::string json;               ///< The object, printed anew: nothing in it was not looked at.
  std::vector<std::string> keys;  ///< Its members' names, which are names of fields.
  /// What is wrong, each with its JSON pointer; not empty: use nothing else.
  std::vector<FieldProblem> problems;
};

/// Input  : `body`, at most 32 levels deep, bytes of a request.
/// Errors : in `problems`: not an object, unknown members, read-only members, missing ones, wrong
///          types, texts that are too long or hold U+0000, values outside of one_of.
/// Source : RFC 8259; times RFC 3339 section 5.6; bytes RFC 4648 section 4.
CheckedBody validate(std::span<const Field> fields,
                     std::string_view body,
                     Completeness completeness);

/// "2026-11-21T18:41:10.5Z": a date-time of RFC 3339 on a day that exists.
bool is_date_time(std::string_view text) noexcept;
/// "2026-11-21": its full-date.
bool is_date(std::string_view text) noexcept;
/// 8-4-4-4-12 hexadecimal digits.
bool is_uuid(std::string_view text) noexcept;

}  // namespace qylon::api
