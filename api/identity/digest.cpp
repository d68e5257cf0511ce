#include "api/identity/digest.hpp"

#include <cstdint>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "api/identity/text_codes.hpp"
#include "core/check.hpp"

namespace qylon::api {
namespace {

unsigned char* writable(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

const unsigned char* readable(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string hmac(const EVP_MD* digest, std::string_view key, std::string_view text) {
  std::string bytes(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  QYLON_CHECK(HMAC(digest,
                   key.data(),
                   static_cast<int>(key.size()),
                   readable(text),
                   text.size(),
                   writable(bytes),
                   &size) != nullptr);
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::string sha256(std::string_view text) {
  // EVP_sha256() would have its implementation looked up each time.
  static const EVP_MD* const kDigest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::string bytes(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  QYLON_CHECK(EVP_Digest(text.data(), text.size(), writable(bytes), &size, kDigest, nullptr) == 1);
  bytes.resize(size);
  return bytes;
}

std::string hmac_sha1(std::string_view key, std::string_view text) {
  return hmac(EVP_sha1(), key, text);
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  return hmac(EVP_sha256(), key, text);
}

bool same_secret(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  QYLON_CHECK(RAND_bytes(writable(bytes), static_cast<int>(count)) == 1);
  return bytes;
}

std::string random_token() {
  return base64url(random_bytes(32));
}

std::string random_digits(std::size_t count) {
  std::string digits;
  while (digits.size() < count) {
    // 250 is the largest multiple of ten that a byte holds: above it digits were not equal.
    const auto byte = static_cast<std::uint8_t>(random_bytes(1)[0]);
    if (byte < 250) digits += static_cast<char>('0' + byte % 10);
  }
  return digits;
}

}  // namespace qylon::api
