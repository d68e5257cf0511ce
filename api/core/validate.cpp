#include "api/core/validate.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/json_depth.hpp"
#include "core/utf8.hpp"

namespace qylon::api {
namespace {

using Json = nlohmann::json;

constexpr int kDepthMax = 32;

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

/// RFC 6901 section 3.
std::string pointer_to(std::string_view member) {
  std::string pointer = "/";
  for (const char character : member) {
    if (character == '~') {
      pointer += "~0";
    } else if (character == '/') {
      pointer += "~1";
    } else {
      pointer += character;
    }
  }
  return pointer;
}

std::string quoted_list(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words)
    list += (list.empty() ? "\"" : ", \"") + word + "\"";
  return list;
}

bool holds_nul(const Json& json) {
  if (json.is_string()) return json.get_ref<const std::string&>().find('\0') != std::string::npos;
  if (json.is_array()) return std::any_of(json.begin(), json.end(), holds_nul);
  if (!json.is_object()) return false;
  return std::any_of(json.items().begin(), json.items().end(), [](const auto& item) {
    return item.key().find('\0') != std::string::npos || holds_nul(item.value());
  });
}

/// RFC 4648 section 4, padded.
bool is_base64(std::string_view text) {
  if (text.size() % 4 != 0) return false;
  std::size_t digits = text.size();
  while (digits > 0 && text.size() - digits < 2 && text[digits - 1] == '=')
    --digits;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(digits), [](char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' || c == '/';
  });
}

/// As the table's check has it: something, one @, something, no white space.
bool is_email(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size()) return false;
  return text.find('@', at + 1) == std::string_view::npos &&
         text.find_first_of(" \t\r\n\v\f") == std::string_view::npos;
}

template <typename Integer>
bool fits(const Json& value) {
  if (value.is_number_unsigned()) {
    return value.get<std::uint64_t>() <=
           static_cast<std::uint64_t>(std::numeric_limits<Integer>::max());
  }
  if (!value.is_number_integer()) return false;
  const auto number = value.get<std::int64_t>();
  return number >= std::numeric_limits<Integer>::min() &&
         number <= std::numeric_limits<Integer>::max();
}

using Complaint = std::optional<std::string>;

Complaint check_text(const Field& field, const Json& value) {
  if (!value.is_string()) return "must be a string";
  const auto& text = value.get_ref<const std::string&>();
  if (text.find('\0') != std::string::npos) return "must not hold U+0000";
  if (field.max > 0 && count_code_points(text) > static_cast<std::size_t>(field.max))
    return "must have at most " + std::to_string(field.max) + " characters";
  const auto& values = field.one_of;
  if (!values.empty() && std::find(values.begin(), values.end(), text) == values.end())
    return "must be one of " + quoted_list(values);
  switch (field.type) {
    case FieldType::kEmail:
      return is_email(text) ? Complaint() : "must be an e-mail address";
    case FieldType::kUuid:
      return is_uuid(text) ? Complaint() : "must be a UUID";
    case FieldType::kTime:
      return is_date_time(text) ? Complaint() : "must be a time such as 2026-11-21T18:41:10Z";
    case FieldType::kDate:
      return is_date(text) ? Complaint() : "must be a day such as 2026-11-21";
    case FieldType::kBytes:
      return is_base64(text) ? Complaint() : "must be base64";
    default:
      return {};
  }
}

Complaint check_texts(const Field& field, const Json& value) {
  const bool all_texts =
      value.is_array() && std::all_of(value.begin(), value.end(), [](auto& item) {
        return item.is_string() && !holds_nul(item);
      });
  if (!all_texts) return "must be a list of strings without U+0000";
  if (field.max > 0 && value.size() > static_cast<std::size_t>(field.max))
    return "must have at most " + std::to_string(field.max) + " items";
  return {};
}

Complaint check_value(const Field& field, const Json& value) {
  switch (field.type) {
    case FieldType::kInteger:
      return fits<std::int32_t>(value) ? Complaint() : "must be an integer of 32 bits";
    case FieldType::kBigInteger:
      return fits<std::int64_t>(value) ? Complaint() : "must be an integer of 64 bits";
    case FieldType::kNumber:
    case FieldType::kReal:
      return value.is_number() ? Complaint() : "must be a number";
    case FieldType::kFlag:
      return value.is_boolean() ? Complaint() : "must be true or false";
    case FieldType::kDocument:
      if (!value.is_structured()) return "must be an object or an array";
      return holds_nul(value) ? Complaint("must not hold U+0000") : Complaint();
    case FieldType::kTexts:
      return check_texts(field, value);
    default:
      return check_text(field, value);
  }
}

Complaint check_member(const Field& field, const Json& value) {
  if (field.read_only) return "is set by the server";
  if (value.is_null()) return field.required ? Complaint("must not be null") : Complaint();
  return check_value(field, value);
}

std::vector<std::string> writable_names(std::span<const Field> fields) {
  std::vector<std::string> names;
  for (const Field& field : fields) {
    if (!field.read_only) names.push_back(field.name);
  }
  return names;
}

void check_members(std::span<const Field> fields, const Json& object, CheckedBody& checked) {
  for (const auto& [key, value] : object.items()) {
    const auto field = std::find_if(
        fields.begin(), fields.end(), [name = key](const Field& f) { return f.name == name; });
    const Complaint complaint =
        field == fields.end() ? "is not known; there are " + quoted_list(writable_names(fields))
                              : check_member(*field, value);
    if (complaint) checked.problems.push_back({pointer_to(key), *complaint});
    checked.keys.push_back(key);
  }
}

int two_digits(std::string_view text, std::size_t at) {
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

/// `text` has the shape of `shape`, where 0 stands for any digit.
bool has_shape(std::string_view text, std::string_view shape) {
  return text.size() == shape.size() &&
         std::equal(text.begin(), text.end(), shape.begin(), [](char is, char wanted) {
           return wanted == '0' ? is_digit(is) : is == wanted;
         });
}

bool is_offset(std::string_view text) {
  if (text == "Z" || text == "z") return true;
  if (!has_shape(text, "+00:00") && !has_shape(text, "-00:00")) return false;
  return two_digits(text, 1) < 24 && two_digits(text, 4) < 60;
}

}  // namespace

bool is_date(std::string_view text) noexcept {
  if (!has_shape(text, "0000-00-00")) return false;
  const int year = two_digits(text, 0) * 100 + two_digits(text, 2);
  const std::chrono::year_month_day day{
      std::chrono::year(year),
      std::chrono::month(static_cast<unsigned>(two_digits(text, 5))),
      std::chrono::day(static_cast<unsigned>(two_digits(text, 8)))};
  return year > 0 && day.ok();
}

bool is_date_time(std::string_view text) noexcept {
  constexpr std::size_t kSeconds = 19;  // Length up to the seconds.
  if (text.size() <= kSeconds) return false;
  std::string head(text.substr(0, kSeconds));
  if (head[10] == 't') head[10] = 'T';
  if (!has_shape(head, "0000-00-00T00:00:00")) return false;
  if (!is_date(std::string_view(head).substr(0, 10))) return false;
  if (two_digits(head, 11) > 23 || two_digits(head, 14) > 59 || two_digits(head, 17) > 60)
    return false;
  std::size_t end = kSeconds;
  if (text[end] == '.') {
    do
      ++end;
    while (end < text.size() && is_digit(text[end]));
    if (end == kSeconds + 1 || end > kSeconds + 10) return false;  // 1 to 9 digits.
  }
  return is_offset(text.substr(end));
}

bool is_uuid(std::string_view text) noexcept {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return text.size() == kShape.size() &&
         std::equal(text.begin(), text.end(), kShape.begin(), [](char is, char wanted) {
           const char lower = static_cast<char>(is | 0x20);
           return wanted == '-' ? is == '-' : is_digit(is) || (lower >= 'a' && lower <= 'f');
         });
}

CheckedBody validate(std::span<const Field> fields,
                     std::string_view body,
                     Completeness completeness) {
  CheckedBody checked;
  const Json object = json_is_deeper_than(body, kDepthMax)
                          ? Json()
                          : Json::parse(body.begin(), body.end(), nullptr, false);
  if (!object.is_object()) {
    checked.problems.push_back({"", "must be a JSON object, at most 32 levels deep"});
    return checked;
  }
  check_members(fields, object, checked);
  for (const Field& field : fields) {
    if (completeness == Completeness::kPart || !field.required || field.read_only) continue;
    if (field.default_sql.empty() && !object.contains(field.name))
      checked.problems.push_back({pointer_to(field.name), "is missing"});
  }
  if (checked.problems.empty()) checked.json = object.dump();
  return checked;
}

}  // namespace qylon::api
