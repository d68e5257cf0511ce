#pragma once
/// Links that let whoever holds them fetch one file for a while.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qylon::api {

/// `FILE.EXPIRES.MAC`: the file's UUID, Unix seconds, and HMAC-SHA256 of what is before it in
/// base64url. It names the file, not its path: a replaced file is meant too, a removed one not.
///
/// Threads: const, from any thread.
class SignedLinks {
 public:
  explicit SignedLinks(std::string secret) : secret_(std::move(secret)) {}

  std::string make(const std::string& file, std::int64_t expires_s) const;
  /// The file's UUID; nothing for a link that is not ours or is over.
  std::optional<std::string> open(std::string_view token, std::int64_t now_s) const;

 private:
  std::string secret_;
};

}  // namespace qylon::api
