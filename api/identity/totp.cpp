#include "api/identity/totp.hpp"

#include <array>
#include <cctype>

#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "core/check.hpp"

namespace qylon::api {
namespace {

constexpr std::int64_t kStepSeconds = 30;
constexpr std::size_t kRecoveryCodes = 10;
constexpr std::size_t kRecoveryChars = 10;

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

}  // namespace

std::string hotp(std::string_view secret, std::uint64_t counter, int digits) {
  QYLON_CHECK(digits >= 6 && digits <= 8);
  std::string message(8, '\0');
  for (std::size_t i = 8; i-- > 0; counter >>= 8)
    message[i] = static_cast<char>(counter & 0xFFU);
  const std::string mac = hmac_sha1(secret, message);
  const auto offset = static_cast<std::size_t>(mac.back() & 0xF);
  std::uint32_t truncated = 0;
  for (std::size_t i = offset; i < offset + 4; ++i)
    truncated = (truncated << 8) | static_cast<std::uint8_t>(mac[i]);
  truncated &= 0x7FFF'FFFFU;
  std::string code(static_cast<std::size_t>(digits), '0');
  for (std::size_t i = code.size(); i-- > 0; truncated /= 10)
    code[i] = static_cast<char>('0' + truncated % 10);
  return code;
}

std::optional<std::uint64_t> totp_step(std::string_view secret,
                                       std::string_view code,
                                       std::int64_t now_s,
                                       std::uint64_t last_step) {
  const auto current = static_cast<std::uint64_t>(now_s / kStepSeconds);
  std::optional<std::uint64_t> found;
  for (std::uint64_t step = current - 1; step <= current + 1; ++step) {
    if (same_secret(hotp(secret, step), code) && step > last_step) found = step;
  }
  return found;
}

std::string totp_uri(std::string_view issuer, std::string_view account, std::string_view secret) {
  const std::string name = percent_encoded(issuer);
  return "otpauth://totp/" + name + ":" + percent_encoded(account) + "?secret=" + base32(secret) +
         "&issuer=" + name;
}

std::vector<std::string> new_recovery_codes() {
  std::vector<std::string> codes;
  while (codes.size() < kRecoveryCodes) {
    std::string code = base32(random_bytes(7)).substr(0, kRecoveryChars);
    for (char& c : code)
      c = lower(c);
    codes.push_back(code.insert(kRecoveryChars / 2, "-"));
  }
  return codes;
}

std::string canonical_recovery_code(std::string_view typed) {
  std::string code;
  for (const char c : typed) {
    if (c != '-' && c != ' ') code += lower(c);
  }
  return code;
}

}  // namespace qylon::api
