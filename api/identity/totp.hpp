#pragma once
/// One-time passwords of authenticator apps, and the codes for who has lost the app.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qylon::api {

inline constexpr std::size_t kTotpSecretBytes = 20;
inline constexpr int kTotpDigits = 6;

/// The code of `counter`. Source: RFC 4226 section 5.3. REQUIRES: digits in 6..8.
std::string hotp(std::string_view secret, std::uint64_t counter, int digits = kTotpDigits);

/// The 30 s step (RFC 6238) whose code `code` is: the current one or a neighbour, for clocks that
/// are off; but only one after `last_step`, so that no code is taken twice (section 5.2).
std::optional<std::uint64_t> totp_step(std::string_view secret,
                                       std::string_view code,
                                       std::int64_t now_s,
                                       std::uint64_t last_step);

/// otpauth://totp/ISSUER:ACCOUNT?secret=BASE32&issuer=ISSUER, as authenticator apps read it.
std::string totp_uri(std::string_view issuer, std::string_view account, std::string_view secret);

/// Ten codes of 50 random bits, "abcde-fghij", each good once.
std::vector<std::string> new_recovery_codes();
/// As people type it: lower case, without dashes and spaces.
std::string canonical_recovery_code(std::string_view typed);

}  // namespace qylon::api
