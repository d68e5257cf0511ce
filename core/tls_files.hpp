#pragma once
/// A server's certificate and key, looked at before anyone relies on them.

#include <string>

#include "core/result.hpp"

namespace qylon {

/// Both files are PEM, can be read, and the key is that of the chain's first certificate.
/// Errors: kInvalidArgument that names the file.
Status check_tls_files(const std::string& certificate_path, const std::string& key_path);

}  // namespace qylon
