#pragma once
/// The keys that the database never sees.

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/seal.hpp"

namespace qylon::api {

/// The keys that wrap every other key that the server keeps: those of the organisations, the
/// identity key and the audit log's. The first one wraps, all of them open.
///
/// Source: envelope encryption, NIST SP 800-57 part 1 section 5.3 and 6.2.
class MasterKeys {
 public:
  /// `data_dir`/master-keys: 64 hexadecimal digits a line. A file that is missing is made, with one
  /// random key, mode 0600; the file vault-keys of an earlier release becomes it.
  /// Errors: kInvalidArgument for a file that holds something else; those of core/private_file.hpp.
  static Result<MasterKeys> open(const std::string& data_dir);
  /// As above, after a new key was put before the others. Errors: as above.
  static Result<MasterKeys> add_new(const std::string& data_dir);
  /// REQUIRES: not empty.
  explicit MasterKeys(std::vector<SealKey> keys);

  /// What a key is called in the database: 16 digits of a hash of it.
  const std::string& active_id() const noexcept { return keys_.front().id; }
  const SealKey& active() const noexcept { return keys_.front().key; }
  const SealKey* find(std::string_view id) const noexcept;
  /// A secret of 32 bytes of its own for each `purpose`, from the active key.
  std::string derive(std::string_view purpose) const;

 private:
  struct Named {
    std::string id;
    SealKey key;
  };
  std::vector<Named> keys_;
};

}  // namespace qylon::api
