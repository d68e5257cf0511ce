#include "storage/sql.hpp"

#include <pqxx/pqxx>

#include "storage/query_times.hpp"

namespace qylon::storage {
namespace {

/// libpq's texts end at the first NUL; a longer one would be stored cut.
void refuse_nul(const std::string& value) {
  if (value.find('\0') == std::string::npos) return;
  throw pqxx::data_exception("a text holds the character U+0000", {}, "22021");
}

pqxx::result execute(pqxx::transaction_base& transaction,
                     std::string_view statement,
                     const std::vector<SqlValue>& values) {
  std::vector<const char*> texts;
  texts.reserve(values.size());
  for (const SqlValue& value : values) {
    if (value) refuse_nul(*value);
    texts.push_back(value ? value->c_str() : nullptr);
  }
  const QueryTimes::Statement timed(statement);
  return transaction.exec_params(std::string(statement), pqxx::prepare::make_dynamic_params(texts));
}

SqlValue text_of(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return std::string(field.c_str(), field.size());
}

}  // namespace

std::vector<SqlRow> Sql::rows(std::string_view statement, const std::vector<SqlValue>& values) {
  std::vector<SqlRow> rows;
  for (const auto& found : execute(transaction_, statement, values)) {
    SqlRow& row = rows.emplace_back();
    for (const auto& field : found)
      row.push_back(text_of(field));
  }
  return rows;
}

SqlValue Sql::value(std::string_view statement, const std::vector<SqlValue>& values) {
  const pqxx::result found = execute(transaction_, statement, values);
  return found.empty() ? std::nullopt : text_of(found[0][0]);
}

std::size_t Sql::run(std::string_view statement, const std::vector<SqlValue>& values) {
  return execute(transaction_, statement, values).affected_rows();
}

void Sql::run_script(std::string_view statements) {
  transaction_.exec(std::string(statements));
}

}  // namespace qylon::storage
