#include "core/seal.hpp"

#include <algorithm>
#include <memory>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "core/check.hpp"

namespace qylon {
namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

void random_bytes(std::span<std::uint8_t> out) {
  QYLON_CHECK(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

/// The cipher with key, nonce and associated data; `encrypt` 1 or 0.
Context start(std::span<const std::uint8_t> key,
              std::span<const std::uint8_t> nonce,
              std::span<const std::uint8_t> context,
              int encrypt) {
  Context cipher(EVP_CIPHER_CTX_new());
  QYLON_CHECK(cipher != nullptr);
  QYLON_CHECK(EVP_CipherInit_ex(
                  cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data(), encrypt) ==
              1);
  int length = 0;
  QYLON_CHECK(
      EVP_CipherUpdate(
          cipher.get(), nullptr, &length, context.data(), static_cast<int>(context.size())) == 1);
  return cipher;
}

}  // namespace

SealKey SealKey::random() {
  std::array<std::uint8_t, kBytes> bytes{};
  random_bytes(bytes);
  const SealKey key{bytes};
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

SealKey::SealKey(std::span<const std::uint8_t, kBytes> bytes) {
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

SealKey::~SealKey() {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

void SealKey::seal(std::span<const std::uint8_t> context, std::vector<std::uint8_t>& data) const {
  std::vector<std::uint8_t> sealed(data.size() + kOverheadBytes);
  const auto nonce = std::span(sealed).first(kNonceBytes);
  random_bytes(nonce);
  const Context cipher = start(bytes_, nonce, context, 1);
  std::uint8_t* const body = sealed.data() + kNonceBytes;
  int length = 0;
  QYLON_CHECK(EVP_CipherUpdate(
                  cipher.get(), body, &length, data.data(), static_cast<int>(data.size())) == 1);
  QYLON_CHECK(EVP_CipherFinal_ex(cipher.get(), body + length, &length) == 1);
  QYLON_CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(),
                                  EVP_CTRL_GCM_GET_TAG,
                                  static_cast<int>(kTagBytes),
                                  body + data.size()) == 1);
  data = std::move(sealed);
}

bool SealKey::open(std::span<const std::uint8_t> context, std::vector<std::uint8_t>& data) const {
  std::vector<std::uint8_t> sealed = std::move(data);
  data.clear();
  if (sealed.size() < kOverheadBytes) return false;
  const auto nonce = std::span(sealed).first(kNonceBytes);
  const auto body = std::span(sealed).subspan(kNonceBytes, sealed.size() - kOverheadBytes);
  const Context cipher = start(bytes_, nonce, context, 0);
  std::vector<std::uint8_t> opened(body.size());
  int length = 0;
  QYLON_CHECK(
      EVP_CipherUpdate(
          cipher.get(), opened.data(), &length, body.data(), static_cast<int>(body.size())) == 1);
  QYLON_CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(),
                                  EVP_CTRL_GCM_SET_TAG,
                                  static_cast<int>(kTagBytes),
                                  sealed.data() + sealed.size() - kTagBytes) == 1);
  if (EVP_CipherFinal_ex(cipher.get(), opened.data() + length, &length) != 1) return false;
  data = std::move(opened);
  return true;
}

}  // namespace qylon
