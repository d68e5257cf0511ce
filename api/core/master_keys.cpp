#include "api/core/master_keys.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "core/check.hpp"
#include "core/unique_fd.hpp"

namespace qylon::api {
namespace {

constexpr std::size_t kKeysMax = 16;

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Error failed(const std::string& what, const std::string& path) {
  return {ErrorCode::kUnavailable, "cannot " + what + " " + path + ": " + std::strerror(errno)};
}

/// Under its name whole, or not at all.
Status write_keys(const std::string& path, const std::vector<SealKey>& keys) {
  const std::string unfinished = path + ".new";
  std::string text;
  for (const SealKey& key : keys)
    text += hex(text_of(key.bytes())) + "\n";
  const UniqueFd fd(
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return failed("create", unfinished);
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return failed("write", unfinished);
  if (::fsync(fd.get()) != 0) return failed("sync", unfinished);
  if (std::rename(unfinished.c_str(), path.c_str()) != 0) return failed("rename", unfinished);
  return ok();
}

Result<std::vector<SealKey>> read_keys(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return failed("stat", path);
  if ((info.st_mode & (S_IRWXO | S_IRWXG)) != 0) {
    return Error{ErrorCode::kInvalidArgument,
                 path + " can be reached by other users; chmod 600 it"};
  }
  std::vector<SealKey> keys;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto bytes = parse_hex(line);
    if (!bytes || bytes->size() != SealKey::kBytes || keys.size() == kKeysMax) {
      return Error{
          ErrorCode::kInvalidArgument,
          path + " must hold 1 to 16 lines of 64 hexadecimal digits: openssl rand -hex 32"};
    }
    const std::span all{reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()};
    keys.emplace_back(all.first<SealKey::kBytes>());
  }
  if (keys.empty()) return Error{ErrorCode::kInvalidArgument, path + " holds no key"};
  return keys;
}

}  // namespace

MasterKeys::MasterKeys(std::vector<SealKey> keys) {
  QYLON_CHECK(!keys.empty());
  for (SealKey& key : keys) {
    const std::string digest = sha256("qylon master key" + std::string(text_of(key.bytes())));
    keys_.push_back({hex(digest.substr(0, 8)), key});
  }
}

const SealKey* MasterKeys::find(std::string_view id) const noexcept {
  for (const Named& named : keys_) {
    if (named.id == id) return &named.key;
  }
  return nullptr;
}

std::string MasterKeys::derive(std::string_view purpose) const {
  return hmac_sha256(text_of(active().bytes()), "qylon " + std::string(purpose));
}

Result<MasterKeys> MasterKeys::load_or_create(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) {
    const Status written = write_keys(path, {SealKey::random()});
    if (!written) return written.error();
  }
  auto keys = read_keys(path);
  if (!keys) return keys.error();
  return MasterKeys(*std::move(keys));
}

Result<MasterKeys> MasterKeys::add_new(const std::string& path) {
  auto keys = read_keys(path);
  if (!keys) return keys.error();
  keys->insert(keys->begin(), SealKey::random());
  if (keys->size() > kKeysMax) {
    return Error{ErrorCode::kInvalidArgument,
                 path + " holds sixteen keys; remove the ones that no row needs"};
  }
  const Status written = write_keys(path, *keys);
  if (!written) return written.error();
  return MasterKeys(*std::move(keys));
}

}  // namespace qylon::api
