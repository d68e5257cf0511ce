#pragma once
/// The keys that the database never sees.

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/seal.hpp"

namespace qylon::api {

/// The keys that wrap the organisations' data keys; the first one wraps, all of them open.
///
/// Source: envelope encryption, NIST SP 800-57 part 1 section 5.3 and 6.2.
class MasterKeys {
 public:
  /// 64 hexadecimal digits a line. A file that is missing is made, with one random key, mode 0600.
  /// Errors: kInvalidArgument for a file that others can read or that holds something else;
  ///         kUnavailable when it cannot be written.
  static Result<MasterKeys> load_or_create(const std::string& path);
  /// As above, after a new key was put before the others. Errors: as above.
  static Result<MasterKeys> add_new(const std::string& path);
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
