#pragma once

#include <string>

#include "api/core/master_keys.hpp"
#include "core/result.hpp"
#include "core/seal.hpp"

namespace qylon::api {

/// The key that seals signing keys and authenticator secrets in the database, and from which the
/// publishable key is derived, so it stays the same when the master keys change. From
/// `data_dir`/identity-key, sealed by `masters`; a file of an earlier release, which held it
/// plainly, is sealed. Errors: load_or_create_wrapped()'s.
Result<SealKey> load_or_create_identity_key(const std::string& data_dir, const MasterKeys& masters);

}  // namespace qylon::api
