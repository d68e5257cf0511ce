#pragma once
/// Passwords: which ones are taken, and how they are kept.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qylon::api {

inline constexpr std::size_t kPasswordCharsMin = 8;
inline constexpr std::size_t kPasswordBytesMax = 256;

/// What one guess costs. The default is OWASP's for argon2id: 19 MiB, two passes, one lane; about
/// 30 ms of one core.
struct PasswordCost {
  std::uint32_t memory_kib = 19'456;
  std::uint32_t passes = 2;
  std::uint32_t lanes = 1;
};

/// Why `password` is not good enough: "length" (under 8 characters or over 256 bytes), "characters"
/// (fewer than four different ones), "pwned" (one of the commonest, or the address itself). Empty
/// when it is taken. Source: NIST SP 800-63B section 5.1.1.2 (length and lists, no composition).
std::vector<std::string_view> password_weaknesses(std::string_view password,
                                                  std::string_view email);

/// `password` as PHC string, "$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH" with 16 random bytes of
/// salt and 32 of hash. Source: RFC 9106. Blocks for the cost.
std::string hash_password(std::string_view password, const PasswordCost& cost = {});

/// Whether `phc` is the hash of `password`. False for any other kind of hash, and for one that asks
/// for more than 64 MiB, 10 passes or 4 lanes: an imported row must not stop the server.
bool verify_password(const std::string& phc, std::string_view password);

}  // namespace qylon::api
