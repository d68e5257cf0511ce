#pragma once
/// What a list is asked for: conditions, order, page.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/core/entity.hpp"
#include "core/result.hpp"

namespace qylon::api {

struct Condition {
  std::string field;
  std::string cast;   ///< PostgreSQL's type of the value.
  std::string op;     ///< PostgreSQL's operator; "is" and "in" apart.
  std::string value;  ///< One parameter; of "is": null, not_null, true or false.
};

struct ListQuery {
  std::vector<Condition> conditions;
  std::string order = "created_at";
  bool descending = true;
  int limit = 50;
  /// Order value and id of the last row of the page before.
  std::optional<std::pair<std::string, std::string>> after;

  /// The text that stands for `after` in an answer; only good for the same order.
  std::string cursor(const std::string& order_value, const std::string& id) const;
};

/// Input  : a request's query: `limit=50` (1..200), `cursor=...`, `order=name.asc`, and conditions
/// in
///          PostgREST's dialect, `FIELD=OP.VALUE` with eq neq gt gte lt lte like ilike in is cs.
/// Errors : kInvalidArgument naming the parameter, and what it may be.
/// Source : PostgREST 12 reference, "Horizontal filtering".
Result<ListQuery> parse_list_query(const Entity& entity,
                                   const std::vector<std::pair<std::string, std::string>>& query);

/// Whether rows can be put in the order of this field: never null, and with an order.
bool is_orderable(const Field& field) noexcept;

}  // namespace qylon::api
