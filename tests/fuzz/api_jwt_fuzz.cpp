#include <cstddef>
#include <cstdint>

#include "api/identity/jwks_json.hpp"
#include "api/identity/jwt.hpp"
#include "core/check.hpp"

// Nobody can guess a signature: no token is taken, and no key set of a stranger takes the text of
// another. The first byte says what the rest is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'k') {
    const auto keys = qylon::api::parse_jwks(text);
    if (!keys) return 0;
    for (const auto& [kid, key] : *keys)
      QYLON_CHECK(!key.verify("text", "signature"));
    return 0;
  }
  static const qylon::api::JwtIssuers kIssuers = [] {
    const auto point = qylon::api::SigningKey::generate().point();
    qylon::api::JwtIssuers issuers;
    issuers["https://us"].keys.emplace("k1", *qylon::api::JwtKey::es256(point.x, point.y));
    return issuers;
  }();
  QYLON_CHECK(!qylon::api::verify_jwt(text, kIssuers, 1'800'000'000));
  return 0;
}
