#pragma once
/// Keys that sign and check tokens. A key has one algorithm for life, so that no token can choose.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

struct evp_pkey_st;

namespace qylon::api {

/// RFC 7518 section 3.1.
enum class JwtAlgorithm : std::uint8_t { kEs256, kRs256, kHs256 };
std::string_view algorithm_name(JwtAlgorithm algorithm) noexcept;

/// What checks signatures: a public key, or a secret that was agreed upon.
///
/// Cost    : ES256 0.2 ms, RS256 0.05 ms, HS256 5 us.
/// Threads : const, from any thread; copies share the key.
class JwtKey {
 public:
  /// The uncompressed point of a P-256 key. Errors: kInvalidArgument unless it is on the curve.
  static Result<JwtKey> es256(std::string_view x, std::string_view y);
  /// Big-endian modulus and exponent. Errors: kInvalidArgument unless 2,048 to 4,096 bits and odd
  /// exponent above 1.
  static Result<JwtKey> rs256(std::string_view modulus, std::string_view exponent);
  /// Errors: kInvalidArgument for fewer than 32 bytes (RFC 7518 section 3.2).
  static Result<JwtKey> hs256(std::string_view secret);

  JwtAlgorithm algorithm() const noexcept { return algorithm_; }
  /// Whether `signature` is this key's on `text`. A signature of the wrong size is not.
  bool verify(std::string_view text, std::string_view signature) const;

 private:
  using Handle = std::shared_ptr<evp_pkey_st>;
  JwtKey(JwtAlgorithm algorithm, Handle handle, std::string secret)
      : algorithm_(algorithm), handle_(std::move(handle)), secret_(std::move(secret)) {}

  JwtAlgorithm algorithm_;
  Handle handle_;       // ES256, RS256.
  std::string secret_;  // HS256.
};

/// A P-256 pair that signs with ES256.
///
/// Cost    : 0.08 ms a signature.
/// Threads : const, from any thread; copies share the key.
class SigningKey {
 public:
  /// A point as its coordinates, 32 bytes each.
  struct Point {
    std::string x;
    std::string y;
  };

  static SigningKey generate();
  /// The DER that private_der() printed. Errors: kInvalidArgument.
  static Result<SigningKey> from_der(std::span<const std::uint8_t> der);

  /// 64 bytes, r and s (RFC 7518 section 3.4).
  std::string sign(std::string_view text) const;
  Point point() const;
  /// To be sealed; never logged.
  std::vector<std::uint8_t> private_der() const;
  /// The JWK thumbprint: SHA-256 of the public key's members, base64url. Source: RFC 7638.
  std::string thumbprint() const;

 private:
  explicit SigningKey(std::shared_ptr<evp_pkey_st> handle) : handle_(std::move(handle)) {}
  std::shared_ptr<evp_pkey_st> handle_;
};

}  // namespace qylon::api
