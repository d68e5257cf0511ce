#pragma once
/// One column of a declared entity, from which its SQL, JSON schema and checks are derived.

#include <cstdint>
#include <string>
#include <vector>

namespace qylon::api {

enum class FieldType : std::uint8_t {
  kText,
  kEmail,
  kUuid,
  kInteger,     ///< 32 bits.
  kBigInteger,  ///< 64 bits.
  kNumber,      ///< Exact decimal.
  kReal,        ///< float32.
  kFlag,
  kTime,      ///< RFC 3339 in JSON, timestamptz in SQL.
  kDate,      ///< "2026-11-21".
  kDocument,  ///< Any JSON object or array.
  kTexts,     ///< List of texts.
  kBytes,     ///< base64 in JSON.
  kSearch,    ///< Words of other columns for full-text search, with an index; never in JSON.
};

struct Field {
  std::string name;  ///< snake_case, as in JSON and SQL.
  FieldType type = FieldType::kText;
  bool required = false;
  bool read_only = false;  ///< Never taken from a request.
  bool secret = false;     ///< Never in an answer, an event or a log.
  bool personal = false;   ///< Part of a person's export, and erased with the person.
  std::string default_sql;
  std::string generated_sql;        ///< Not empty: PostgreSQL computes and stores it.
  std::vector<std::string> one_of;  ///< Not empty: the only values taken.
  std::string references;           ///< Entity whose id this is.
  std::string renamed_from;         ///< Not empty: a migration renames that column.
  int max = 0;                      ///< Longest text in characters, or most texts; 0: no bound.
};

/// PostgreSQL's name of the type.
const char* sql_type(FieldType type) noexcept;

}  // namespace qylon::api
