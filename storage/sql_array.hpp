#pragma once
/// PostgreSQL array values, to be passed as one parameter: unnest($1::text[]) is the fastest way to
/// insert many rows, and leaves no SQL to build.

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace qylon::storage {

/// Source: PostgreSQL 15 manual, section 8.15.6. Every text is quoted, so NULL and empty are safe.
class SqlArray {
 public:
  void add(std::string_view text) {
    begin_element();
    literal_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') literal_ += '\\';
      literal_ += c;
    }
    literal_ += '"';
  }
  template <typename Number>
  requires std::integral<Number> || std::floating_point<Number>
  void add(Number value) {
    begin_element();
    char digits[32];
    const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), value);
    literal_.append(digits, end);
  }
  /// "{...}".
  std::string str() const { return literal_ + '}'; }

 private:
  void begin_element() {
    if (literal_.size() > 1) literal_ += ',';
  }
  std::string literal_ = "{";
};

}  // namespace qylon::storage
