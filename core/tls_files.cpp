#include "core/tls_files.hpp"

#include <memory>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace qylon {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio open(const std::string& path) {
  return {BIO_new_file(path.c_str(), "r"), BIO_free};
}

// A key behind a password is refused: nobody is there to type it.
int no_password(char* /*buffer*/, int /*size*/, int /*is_writing*/, void* /*user*/) {
  return -1;
}

}  // namespace

Status check_tls_files(const std::string& certificate_path, const std::string& key_path) {
  const Bio certificate_file = open(certificate_path);
  const Certificate certificate(
      certificate_file ? PEM_read_bio_X509(certificate_file.get(), nullptr, nullptr, nullptr)
                       : nullptr,
      X509_free);
  const Bio key_file = open(key_path);
  const Key key(
      key_file ? PEM_read_bio_PrivateKey(key_file.get(), nullptr, no_password, nullptr) : nullptr,
      EVP_PKEY_free);
  const bool match =
      certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!certificate)
    return Error{ErrorCode::kInvalidArgument,
                 certificate_path + " must be a readable PEM certificate chain"};
  if (!key)
    return Error{ErrorCode::kInvalidArgument,
                 key_path + " must be a readable PEM private key without a password"};
  if (!match)
    return Error{ErrorCode::kInvalidArgument,
                 key_path + " is not the key of the first certificate in " + certificate_path};
  return ok();
}

}  // namespace qylon
