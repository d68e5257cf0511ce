#include "api/core/filter.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "api/core/validate.hpp"
#include "api/identity/text_codes.hpp"
#include "storage/sql_array.hpp"

namespace qylon::api {
namespace {

constexpr int kLimitMax = 200;
constexpr std::size_t kConditionsMax = 20;

Error wrong(const std::string& parameter, const std::string& what) {
  return {ErrorCode::kInvalidArgument, "the parameter " + parameter + " " + what};
}

/// PostgREST's word and PostgreSQL's operator.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kOperators{{
    {"eq", "="},
    {"neq", "<>"},
    {"gt", ">"},
    {"gte", ">="},
    {"lt", "<"},
    {"lte", "<="},
    {"like", "like"},
    {"ilike", "ilike"},
    {"in", "in"},
    {"is", "is"},
    {"cs", "@>"},
}};

bool is_text(FieldType type) {
  return type == FieldType::kText || type == FieldType::kEmail;
}
bool is_compound(FieldType type) {
  return type == FieldType::kDocument || type == FieldType::kTexts || type == FieldType::kBytes;
}

bool takes_operator(FieldType type, std::string_view op) {
  if (op == "is") return true;
  if (op == "like" || op == "ilike") return is_text(type);
  if (op == "cs") return type == FieldType::kDocument || type == FieldType::kTexts;
  if (type == FieldType::kFlag) return op == "eq" || op == "neq";
  return !is_compound(type);
}

/// "(a,b)" or "a,b" as PostgreSQL's array; items in double quotes may hold commas.
std::string array_of(std::string_view list) {
  if (list.starts_with('(') && list.ends_with(')')) list = list.substr(1, list.size() - 2);
  storage::SqlArray array;
  while (!list.empty()) {
    std::size_t end = list.find(',');
    std::string_view item = list.substr(0, end);
    if (list.front() == '"') {
      const std::size_t close = std::min(list.find('"', 1), list.size());
      item = list.substr(1, close - 1);
      end = list.find(',', close);
    }
    array.add(item);
    list = end == std::string_view::npos ? std::string_view() : list.substr(end + 1);
  }
  return array.str();
}

Result<Condition> parse_condition(const Field& field, std::string_view text) {
  const std::size_t dot = text.find('.');
  const std::string_view word = text.substr(0, dot);
  const auto* const found = std::find_if(kOperators.begin(),
                                         kOperators.end(),
                                         [word](const auto& pair) { return pair.first == word; });
  if (dot == std::string_view::npos || found == kOperators.end() ||
      !takes_operator(field.type, word)) {
    return wrong(field.name,
                 "must be OPERATOR.VALUE with an operator that a field of type " +
                     std::string(sql_type(field.type)) + " takes, e.g. is.null");
  }
  Condition condition{field.name,
                      sql_type(field.type),
                      std::string(found->second),
                      std::string(text.substr(dot + 1))};
  if (word == "in") condition.value = array_of(condition.value);
  if (word == "like" || word == "ilike")
    std::replace(condition.value.begin(), condition.value.end(), '*', '%');
  if (word != "is") return condition;
  const std::string& is = condition.value;
  const bool flag = field.type == FieldType::kFlag && (is == "true" || is == "false");
  if (is != "null" && is != "not_null" && !flag)
    return wrong(field.name, "can be is.null or is.not_null");
  return condition;
}

Status parse_limit(const std::string& text, ListQuery& query) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), query.limit);
  if (failure != std::errc() || end != text.data() + text.size() || query.limit < 1 ||
      query.limit > kLimitMax)
    return wrong("limit", "must be a number in 1..200");
  return ok();
}

Status parse_order(const std::vector<Field>& columns, std::string_view text, ListQuery& query) {
  const std::size_t dot = text.find('.');
  const std::string_view name = text.substr(0, dot);
  const std::string_view way = dot == std::string_view::npos ? "asc" : text.substr(dot + 1);
  const auto field = std::find_if(
      columns.begin(), columns.end(), [name](const Field& f) { return f.name == name; });
  if (field == columns.end() || !is_orderable(*field) || (way != "asc" && way != "desc")) {
    std::string names;
    for (const Field& column : columns) {
      if (is_orderable(column)) names += (names.empty() ? "" : ", ") + column.name;
    }
    return wrong("order", "must be FIELD.asc or FIELD.desc with one of " + names);
  }
  query.order = name;
  query.descending = way == "desc";
  return ok();
}

std::string order_name(const ListQuery& query) {
  return query.order + (query.descending ? ".desc" : ".asc");
}

/// "order|id|value".
Status parse_cursor(const std::string& text, ListQuery& query) {
  const std::string plain = parse_base64url(text).value_or("");
  const std::size_t first = plain.find('|');
  const std::size_t second = first == std::string::npos ? first : plain.find('|', first + 1);
  if (second == std::string::npos || plain.substr(0, first) != order_name(query) ||
      !is_uuid(std::string_view(plain).substr(first + 1, second - first - 1)) ||
      plain.find('\0') != std::string::npos)
    return wrong("cursor", "must be the `next` of an answer to the same list in the same order");
  query.after.emplace(plain.substr(second + 1), plain.substr(first + 1, second - first - 1));
  return ok();
}

Status parse_parameter(const std::vector<Field>& columns,
                       const std::string& name,
                       const std::string& value,
                       ListQuery& query) {
  const auto field = std::find_if(
      columns.begin(), columns.end(), [&name](const Field& f) { return f.name == name; });
  if (field == columns.end() || field->secret)
    return wrong(name, "is not known; there are limit, cursor, order and the fields");
  if (query.conditions.size() == kConditionsMax) return wrong(name, "is one condition too many");
  auto condition = parse_condition(*field, value);
  if (!condition) return condition.error();
  query.conditions.push_back(*std::move(condition));
  return ok();
}

}  // namespace

bool is_orderable(const Field& field) noexcept {
  return field.required && !field.secret && !is_compound(field.type) &&
         field.type != FieldType::kFlag;
}

std::string ListQuery::cursor(const std::string& order_value, const std::string& id) const {
  return base64url(order_name(*this) + "|" + id + "|" + order_value);
}

Result<ListQuery> parse_list_query(const Entity& entity,
                                   const std::vector<std::pair<std::string, std::string>>& query) {
  const std::vector<Field> columns = entity.columns();
  ListQuery list;
  const std::string* cursor = nullptr;
  for (const auto& [name, value] : query) {
    Status status = ok();
    if (name == "limit") {
      status = parse_limit(value, list);
    } else if (name == "order") {
      status = parse_order(columns, value, list);
    } else if (name == "cursor") {
      cursor = &value;  // It belongs to the order, which may stand behind it.
    } else {
      status = parse_parameter(columns, name, value, list);
    }
    if (!status) return status.error();
  }
  if (cursor != nullptr) {
    if (const Status status = parse_cursor(*cursor, list); !status) return status.error();
  }
  return list;
}

}  // namespace qylon::api
