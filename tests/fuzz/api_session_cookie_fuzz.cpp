// The Cookie header: any bytes; what is found is a part of it without separators.

#include <cstdint>
#include <string_view>

#include "api/core/session_cookie.hpp"
#include "core/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view header(reinterpret_cast<const char*>(data), size);
  const std::string_view token = qylon::api::session_cookie(header);
  QYLON_CHECK(token.find(';') == std::string_view::npos);
  QYLON_CHECK(token.empty() || header.find("__Host-qylon=") != std::string_view::npos);
  return 0;
}
