#include "api/identity/secret_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "core/check.hpp"
#include "core/unique_fd.hpp"

namespace qylon::api {
namespace {

// Longer than any of ours, so that a longer file is seen to be longer.
constexpr std::size_t kFileBytesMax = 128;

Error unavailable(std::string_view what, const std::string& path) {
  return Error{ErrorCode::kUnavailable,
               std::string(what) + " " + path + ": " + std::strerror(errno)};
}

/// 256 bits behind `prefix`, in their one form.
bool is_secret(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  const auto bytes = parse_base64url(text.substr(prefix.size()));
  return bytes && bytes->size() == SealKey::kBytes;
}

/// Reads the file. Nothing when there is none.
Result<std::optional<std::string>> read_secret(const std::string& path, std::string_view prefix) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file && errno == ENOENT) return std::optional<std::string>();
  if (!file) return unavailable("cannot read", path);
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return unavailable("cannot look at", path);
  if ((facts.st_mode & 077) != 0) {
    return Error{ErrorCode::kInvalidArgument,
                 "others can read " + path + "; remove it to get a new one, or chmod 600 it"};
  }
  std::array<char, kFileBytesMax> buffer{};
  const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
  if (got < 0) return unavailable("cannot read", path);
  std::string_view text(buffer.data(), static_cast<std::size_t>(got));
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (!is_secret(text, prefix)) {
    return Error{ErrorCode::kInvalidArgument,
                 path + " does not hold \"" + std::string(prefix) +
                     "\" and 43 characters; remove it to get a new one"};
  }
  return std::optional<std::string>(text);
}

/// Puts `secret` at `path` whole or not at all, unless another process was faster.
Status write_secret(const std::string& path, const std::string& secret) {
  std::string draft = path + ".XXXXXX";
  const UniqueFd file(::mkostemp(draft.data(), O_CLOEXEC));  // Mode 0600.
  if (!file) return unavailable("cannot write beside", path);
  const std::string line = secret + "\n";
  const bool written =
      ::write(file.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
      ::fsync(file.get()) == 0;
  // link() instead of rename(): it never replaces the secret that a faster process has handed out.
  const bool placed = written && (::link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  Status status = placed ? ok() : Status(unavailable("cannot write", path));
  ::unlink(draft.c_str());
  return status;
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

  const Status written = write_secret(path, std::string(secret.prefix) + random_token());
  if (!written) return written.error();
  found = read_secret(path, secret.prefix);  // Ours, or the one of a process that was faster.
  if (!found) return found.error();
  if (!*found) return Error{ErrorCode::kUnavailable, path + " was removed while it was made"};
  return **found;
}

Result<SealKey> load_or_create_identity_key(const std::string& data_dir) {
  constexpr std::string_view kPrefix = "qyi_";
  const auto secret = load_or_create_secret(data_dir, {.name = "identity-key", .prefix = kPrefix});
  if (!secret) return secret.error();
  const auto text = parse_base64url(std::string_view(*secret).substr(kPrefix.size()));
  std::array<std::uint8_t, SealKey::kBytes> bytes{};
  std::copy_n(text->begin(), bytes.size(), bytes.begin());
  return SealKey(bytes);
}

std::string derive_secret(const SealKey& master, std::string_view purpose) {
  const auto bytes = master.bytes();
  const std::string_view key(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return hmac_sha256(key, std::string(purpose) + '\x01');
}

}  // namespace qylon::api
