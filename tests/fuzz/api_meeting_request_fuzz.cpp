#include <cstddef>
#include <cstdint>

#include "api/meeting_json.hpp"
#include "core/check.hpp"
#include "core/utf8.hpp"

// Whatever is taken is text that PostgreSQL and every export can hold.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto request =
      qylon::api::parse_meeting_request({reinterpret_cast<const char*>(data), size});
  if (!request) return 0;
  QYLON_CHECK(qylon::is_utf8(request->title));
  QYLON_CHECK(request->title.find('\0') == std::string::npos);
  QYLON_CHECK(qylon::count_code_points(request->title) <= qylon::api::kTitleCharsMax);
  QYLON_CHECK(request->glossary.size() <= qylon::api::kGlossaryWordsMax);
  for (const std::string& word : request->glossary)
    QYLON_CHECK(!word.empty() && qylon::is_utf8(word));
  return 0;
}
