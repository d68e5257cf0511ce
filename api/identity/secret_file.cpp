#include "api/identity/secret_file.hpp"

#include <filesystem>
#include <optional>
#include <system_error>

#include <sys/stat.h>

#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "core/private_file.hpp"

namespace qylon::api {
namespace {

// Longer than any of ours, so that a longer file is seen to be longer.
constexpr std::size_t kFileBytesMax = 128;

/// 256 bits behind `prefix`, in their one form.
bool is_secret(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  const auto bytes = parse_base64url(text.substr(prefix.size()));
  return bytes && bytes->size() == SealKey::kBytes;
}

/// The secret in the file. Nothing when there is none.
Result<std::optional<std::string>> read_secret(const std::string& path, std::string_view prefix) {
  auto text = read_private_file(path, kFileBytesMax);
  if (!text || !*text) return text;
  if ((*text)->ends_with('\n')) (*text)->pop_back();
  if (is_secret(**text, prefix)) return text;
  return Error{ErrorCode::kInvalidArgument,
               path + " does not hold \"" + std::string(prefix) +
                   "\" and 43 characters; remove it to get a new one"};
}

}  // namespace

Result<std::string> load_or_create_secret(const std::string& data_dir, const SecretFile& secret) {
  std::error_code failure;
  if (std::filesystem::create_directories(data_dir, failure)) ::chmod(data_dir.c_str(), 0711);
  if (failure) {
    return Error{ErrorCode::kUnavailable, "cannot make " + data_dir + ": " + failure.message()};
  }
  const std::string path = data_dir + "/" + std::string(secret.name);
  auto found = read_secret(path, secret.prefix);
  if (!found) return found.error();
  if (*found) return **found;

  const Status written =
      create_private_file(path, std::string(secret.prefix) + random_token() + "\n");
  if (!written) return written.error();
  found = read_secret(path, secret.prefix);  // Ours, or the one of a process that was faster.
  if (!found) return found.error();
  if (!*found) return Error{ErrorCode::kUnavailable, path + " was removed while it was made"};
  return **found;
}

std::string derive_secret(const SealKey& master, std::string_view purpose) {
  const auto bytes = master.bytes();
  const std::string_view key(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return hmac_sha256(key, std::string(purpose) + '\x01');
}

}  // namespace qylon::api
