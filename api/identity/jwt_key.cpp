#include "api/identity/jwt_key.hpp"

#include <array>
#include <memory>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "core/check.hpp"

namespace qylon::api {
namespace {

constexpr std::size_t kCoordinateBytes = 32;
constexpr std::size_t kSecretBytesMin = 32;
constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 4096;
char kGroup[] = "prime256v1";  // OpenSSL takes it as char*, and does not write.

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Freed<Free>>;

using Context = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using Signature = Owned<ECDSA_SIG, ECDSA_SIG_free>;
using Number = Owned<BIGNUM, BN_free>;

const unsigned char* readable(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* writable(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

Number number(std::string_view big_endian) {
  return Number(BN_bin2bn(readable(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

std::shared_ptr<EVP_PKEY> shared(EVP_PKEY* key) {
  return {key, EVP_PKEY_free};
}

/// The public key that `params` describe, or null when OpenSSL does not believe them.
std::shared_ptr<EVP_PKEY> public_key(const char* type, OSSL_PARAM* params) {
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
    return nullptr;
  }
  auto handle = shared(key);
  const Context check(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return check && EVP_PKEY_public_check(check.get()) == 1 ? handle : nullptr;
}

/// r and s as OpenSSL wants an ECDSA signature: DER.
std::string der_signature(std::string_view raw) {
  Signature signature(ECDSA_SIG_new());
  Number r = number(raw.substr(0, kCoordinateBytes));
  Number s = number(raw.substr(kCoordinateBytes));
  QYLON_CHECK(ECDSA_SIG_set0(signature.get(), r.release(), s.release()) == 1);
  const int size = i2d_ECDSA_SIG(signature.get(), nullptr);
  QYLON_CHECK(size > 0);
  std::string der(static_cast<std::size_t>(size), '\0');
  unsigned char* at = writable(der);
  i2d_ECDSA_SIG(signature.get(), &at);
  return der;
}

std::string raw_signature(std::string_view der) {
  const unsigned char* at = readable(der);
  const Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  QYLON_CHECK(signature);
  std::string raw(2 * kCoordinateBytes, '\0');
  constexpr int kSize = static_cast<int>(kCoordinateBytes);
  QYLON_CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), writable(raw), kSize) == kSize);
  QYLON_CHECK(BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()),
                           writable(raw) + kCoordinateBytes,
                           kSize) == kSize);
  return raw;
}

std::string coordinate(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  QYLON_CHECK(EVP_PKEY_get_bn_param(key, name, &value) == 1);
  const Number owned(value);
  std::string bytes(kCoordinateBytes, '\0');
  QYLON_CHECK(BN_bn2binpad(value, writable(bytes), static_cast<int>(kCoordinateBytes)) > 0);
  return bytes;
}

Error invalid(const char* message) {
  return {ErrorCode::kInvalidArgument, message};
}

}  // namespace

std::string_view algorithm_name(JwtAlgorithm algorithm) noexcept {
  switch (algorithm) {
    case JwtAlgorithm::kEs256:
      return "ES256";
    case JwtAlgorithm::kRs256:
      return "RS256";
    case JwtAlgorithm::kHs256:
      return "HS256";
  }
  return "";
}

Result<JwtKey> JwtKey::es256(std::string_view x, std::string_view y) {
  if (x.size() != kCoordinateBytes || y.size() != kCoordinateBytes) {
    return invalid("a P-256 key has two coordinates of 32 bytes");
  }
  std::string point = "\x04";
  point.append(x).append(y);
  std::array<OSSL_PARAM, 3> params{
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, kGroup, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  auto handle = public_key("EC", params.data());
  if (!handle) return invalid("the coordinates are no point of P-256");
  return JwtKey(JwtAlgorithm::kEs256, std::move(handle), {});
}

Result<JwtKey> JwtKey::rs256(std::string_view modulus, std::string_view exponent) {
  const Number n = number(modulus);
  const Number e = number(exponent);
  if (!n || !e || BN_num_bits(n.get()) < kRsaBitsMin || BN_num_bits(n.get()) > kRsaBitsMax ||
      BN_num_bits(e.get()) > 64) {
    return invalid("an RSA key has 2048 to 4096 bits, and an exponent of at most 64");
  }
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  QYLON_CHECK(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1);
  QYLON_CHECK(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
  const Owned<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(builder.get()));
  auto handle = public_key("RSA", params.get());
  if (!handle) return invalid("the numbers are no RSA key");
  return JwtKey(JwtAlgorithm::kRs256, std::move(handle), {});
}

Result<JwtKey> JwtKey::hs256(std::string_view secret) {
  if (secret.size() < kSecretBytesMin) return invalid("a secret for HS256 has at least 32 bytes");
  return JwtKey(JwtAlgorithm::kHs256, nullptr, std::string(secret));
}

bool JwtKey::verify(std::string_view text, std::string_view signature) const {
  if (algorithm_ == JwtAlgorithm::kHs256) {
    return same_secret(hmac_sha256(secret_, text), signature);
  }
  std::string der(signature);
  if (algorithm_ == JwtAlgorithm::kEs256) {
    if (signature.size() != 2 * kCoordinateBytes) return false;
    der = der_signature(signature);
  }
  const DigestContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, handle_.get()) == 1 &&
         EVP_DigestVerify(context.get(), readable(der), der.size(), readable(text), text.size()) ==
             1;
}

SigningKey SigningKey::generate() {
  EVP_PKEY* const key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", kGroup);
  QYLON_CHECK(key != nullptr);
  return SigningKey(shared(key));
}

Result<SigningKey> SigningKey::from_der(std::span<const std::uint8_t> der) {
  const unsigned char* at = der.data();
  auto key = shared(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  std::array<char, 32> group{};
  std::size_t size = 0;
  if (!key || EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), &size) != 1 ||
      std::string_view(group.data(), size) != kGroup) {
    return invalid("the bytes are no private key of P-256");
  }
  return SigningKey(std::move(key));
}

std::string SigningKey::sign(std::string_view text) const {
  const DigestContext context(EVP_MD_CTX_new());
  std::string der(128, '\0');  // At most 72 bytes.
  std::size_t size = der.size();
  QYLON_CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, handle_.get()) ==
              1);
  QYLON_CHECK(EVP_DigestSign(context.get(), writable(der), &size, readable(text), text.size()) ==
              1);
  return raw_signature(std::string_view(der).substr(0, size));
}

SigningKey::Point SigningKey::point() const {
  return {coordinate(handle_.get(), OSSL_PKEY_PARAM_EC_PUB_X),
          coordinate(handle_.get(), OSSL_PKEY_PARAM_EC_PUB_Y)};
}

std::vector<std::uint8_t> SigningKey::private_der() const {
  const int size = i2d_PrivateKey(handle_.get(), nullptr);
  QYLON_CHECK(size > 0);
  std::vector<std::uint8_t> der(static_cast<std::size_t>(size));
  unsigned char* at = der.data();
  i2d_PrivateKey(handle_.get(), &at);
  return der;
}

std::string SigningKey::thumbprint() const {
  const Point public_point = point();
  return base64url(sha256(R"({"crv":"P-256","kty":"EC","x":")" + base64url(public_point.x) +
                          R"(","y":")" + base64url(public_point.y) + "\"}"));
}

}  // namespace qylon::api
