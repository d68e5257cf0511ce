// URLs that users name for us to call: what is accepted has a host and a port, and nothing in them
// that could stand for something else.

#include <cstdint>
#include <string>

#include "api/core/outbound.hpp"
#include "core/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto target =
      qylon::api::parse_outbound_url(std::string(reinterpret_cast<const char*>(data), size));
  if (!target) return 0;
  QYLON_CHECK(target->scheme == "https" || target->scheme == "http");
  QYLON_CHECK(target->host.find_first_of(" /@?#\\\r\n\t") == std::string::npos);
  QYLON_CHECK(!target->port.empty() &&
              target->port.find_first_not_of("0123456789") == std::string::npos);
  return 0;
}
