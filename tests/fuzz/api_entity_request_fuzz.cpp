#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/core/crud_sql.hpp"
#include "api/core/validate.hpp"
#include "core/check.hpp"
#include "core/utf8.hpp"

namespace {

const qylon::api::Entity& fuzzed_entity() {
  static const qylon::api::Entity kEntity = qylon::api::Entity("fuzzed")
                                                .organisation()
                                                .text("name")
                                                .required()
                                                .max(9)
                                                .time("at")
                                                .document("notes")
                                                .texts("tags")
                                                .bytes("photo");
  return kEntity;
}

/// A body that was taken is printed as one that is taken again, unchanged.
void try_body(std::string_view text) {
  using qylon::api::validate;
  const auto& fields = fuzzed_entity().fields();
  const auto body = validate(fields, text, qylon::api::Completeness::kPart);
  if (!body.problems.empty()) return;
  QYLON_CHECK(qylon::is_utf8(body.json));
  QYLON_CHECK(body.json.find('\0') == std::string::npos);
  QYLON_CHECK(validate(fields, body.json, qylon::api::Completeness::kPart).json == body.json);
}

/// No byte of a request becomes a part of a statement: two values make the same one.
void try_query(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return;
  const std::string name(text.substr(0, equals));
  const auto list =
      qylon::api::parse_list_query(fuzzed_entity(), {{name, std::string(text.substr(equals + 1))}});
  if (!list) return;
  for (const char c : qylon::api::list_statement(fuzzed_entity(), *list).sql)
    QYLON_CHECK(c >= ' ' && c <= '~' && c != ';');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_body(text);
  try_query(text);
  return 0;
}
