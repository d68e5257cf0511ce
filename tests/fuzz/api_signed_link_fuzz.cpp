// Links to files that somebody made up: none opens.

#include <cstdint>
#include <string_view>

#include "api/files/signed_link.hpp"
#include "core/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const qylon::api::SignedLinks links("a secret that the fuzzer does not know");
  QYLON_CHECK(!links.open({reinterpret_cast<const char*>(data), size}, 0));
  return 0;
}
