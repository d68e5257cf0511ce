#include "api/identity/password.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <set>

#include <argon2.h>

#include "api/identity/digest.hpp"
#include "core/check.hpp"
#include "core/utf8.hpp"

namespace qylon::api {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kDifferentMin = 4;
// 4 bytes a character and more bytes than any sane hash: beyond it nothing is parsed.
constexpr std::size_t kPhcBytesMax = 256;

// The commonest passwords of eight characters and more in published leaks; shorter ones and those
// of few different characters are refused anyway.
constexpr std::array<std::string_view, 36> kCommon{
    "password",   "password1",  "password12", "password123",   "passw0rd",   "p@ssw0rd",
    "p@ssword",   "12345678",   "123456789",  "1234567890",    "0123456789", "87654321",
    "987654321",  "qwertyui",   "qwertyuiop", "qwerty123",     "qwerty12",   "1q2w3e4r",
    "1q2w3e4r5t", "1qaz2wsx",   "zaq12wsx",   "asdfghjkl",     "iloveyou",   "sunshine",
    "princess",   "football",   "baseball",   "superman",      "trustno1",   "welcome1",
    "welcome123", "letmein123", "admin123",   "administrator", "changeme",   "starwars"};

std::string lowered(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return lower;
}

/// Takes "name=NUMBER" off the front of `text`.
bool take_number(std::string_view& text, std::string_view name, std::uint32_t& number) {
  if (!text.starts_with(name)) return false;
  text.remove_prefix(name.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

/// The cost that `phc` names is one that we are ready to pay.
bool is_affordable(std::string_view phc) {
  PasswordCost cost;
  constexpr std::string_view kPrefix = "$argon2id$v=19$";
  if (phc.size() > kPhcBytesMax || !phc.starts_with(kPrefix)) return false;
  phc.remove_prefix(kPrefix.size());
  return take_number(phc, "m=", cost.memory_kib) && take_number(phc, ",t=", cost.passes) &&
         take_number(phc, ",p=", cost.lanes) && phc.starts_with('$') && cost.memory_kib <= 65'536 &&
         cost.passes <= 10 && cost.lanes <= 4;
}

}  // namespace

std::vector<std::string_view> password_weaknesses(std::string_view password,
                                                  std::string_view email) {
  std::vector<std::string_view> weaknesses;
  if (count_code_points(password) < kPasswordCharsMin || password.size() > kPasswordBytesMax) {
    weaknesses.push_back("length");
  }
  const std::set<char> different(password.begin(), password.end());
  if (different.size() < kDifferentMin) weaknesses.push_back("characters");
  const std::string lower = lowered(password);
  if (std::find(kCommon.begin(), kCommon.end(), lower) != kCommon.end() ||
      lower == lowered(email) || lower == lowered(email.substr(0, email.find('@')))) {
    weaknesses.push_back("pwned");
  }
  return weaknesses;
}

std::string hash_password(std::string_view password, const PasswordCost& cost) {
  const std::string salt = random_bytes(kSaltBytes);
  std::string phc(kPhcBytesMax, '\0');
  const int code = argon2id_hash_encoded(cost.passes,
                                         cost.memory_kib,
                                         cost.lanes,
                                         password.data(),
                                         password.size(),
                                         salt.data(),
                                         salt.size(),
                                         kHashBytes,
                                         phc.data(),
                                         phc.size());
  QYLON_CHECK(code == ARGON2_OK);  // It fails for wrong costs, which are ours, or without memory.
  phc.resize(phc.find('\0'));
  return phc;
}

bool verify_password(const std::string& phc, std::string_view password) {
  return password.size() <= kPasswordBytesMax && is_affordable(phc) &&
         argon2id_verify(phc.c_str(), password.data(), password.size()) == ARGON2_OK;
}

}  // namespace qylon::api
