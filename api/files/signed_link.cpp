#include "api/files/signed_link.hpp"

#include <charconv>

#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "core/ids.hpp"

namespace qylon::api {

std::string SignedLinks::make(const std::string& file, std::int64_t expires_s) const {
  const std::string claim = file + "." + std::to_string(expires_s);
  return claim + "." + base64url(hmac_sha256(secret_, claim));
}

std::optional<std::string> SignedLinks::open(std::string_view token, std::int64_t now_s) const {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  const std::string_view claim = token.substr(0, last);
  const std::string expected = base64url(hmac_sha256(secret_, claim));
  if (!same_secret(expected, token.substr(last + 1))) return std::nullopt;
  const std::string_view expires = claim.substr(first + 1);
  std::int64_t expires_s = 0;
  const auto [end, error] =
      std::from_chars(expires.data(), expires.data() + expires.size(), expires_s);
  const auto file = Uuid::parse(claim.substr(0, first));
  if (error != std::errc{} || end != expires.data() + expires.size() || !file || expires_s <= now_s)
    return std::nullopt;
  return file->to_string();
}

}  // namespace qylon::api
