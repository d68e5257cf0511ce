#pragma once
/// Secrets that a data directory keeps in files of their own.

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/seal.hpp"

namespace qylon::api {

struct SecretFile {
  std::string_view name;    ///< Of the file in the data directory.
  std::string_view prefix;  ///< What the secret begins with, so that people know what they hold.
};

/// The secret in `data_dir`/name (mode 0600), made from 256 random bits on first use. The directory
/// is made too when it is missing (mode 0711: a private PostgreSQL of another user lies below it).
///
/// Output : prefix and 43 characters of base64url (RFC 4648 section 5, no padding).
/// Threads: any; two processes that create it at once get the same secret.
/// Errors : kInvalidArgument for a file that others can read, or that holds no such secret;
///          kUnavailable when the directory cannot be written. No message holds the secret.
Result<std::string> load_or_create_secret(const std::string& data_dir, const SecretFile& secret);

/// A secret of its own for each `purpose`, from `master`. Source: RFC 5869 (HKDF-Expand, one
/// block).
std::string derive_secret(const SealKey& master, std::string_view purpose);

}  // namespace qylon::api
