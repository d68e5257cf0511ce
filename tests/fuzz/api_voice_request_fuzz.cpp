#include <cstddef>
#include <cstdint>

#include "api/speaker_json.hpp"
#include "api/voice_json.hpp"
#include "core/check.hpp"
#include "core/utf8.hpp"

// Whatever is taken names who agreed, in text that PostgreSQL can hold.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto request = qylon::api::parse_voice_request({reinterpret_cast<const char*>(data), size});
  if (!request) return 0;
  QYLON_CHECK(!request->consent_by.empty() && !request->consent_text.empty());
  QYLON_CHECK(qylon::count_code_points(request->name) <= qylon::api::kSpeakerNameCharsMax);
  for (const auto* text : {&request->name, &request->consent_by, &request->consent_text})
    QYLON_CHECK(qylon::is_utf8(*text) && text->find('\0') == std::string::npos);
  return 0;
}
