#include "api/core/master_keys.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "core/check.hpp"
#include "core/private_file.hpp"

namespace qylon::api {
namespace {

constexpr std::size_t kKeysMax = 16;
constexpr std::size_t kFileBytesMax = kKeysMax * (2 * SealKey::kBytes + 1) + 1;

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string path_of(const std::string& data_dir) {
  return data_dir + "/master-keys";
}

std::string print(const std::vector<SealKey>& keys) {
  std::string text;
  for (const SealKey& key : keys)
    text += hex(text_of(key.bytes())) + "\n";
  return text;
}

Result<std::vector<SealKey>> parse(std::string_view text, const std::string& path) {
  std::vector<SealKey> keys;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto bytes = parse_hex(text.substr(0, end));
    if (!bytes || bytes->size() != SealKey::kBytes || keys.size() == kKeysMax) {
      return Error{
          ErrorCode::kInvalidArgument,
          path + " must hold 1 to 16 lines of 64 hexadecimal digits: openssl rand -hex 32"};
    }
    const std::span all{reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()};
    keys.emplace_back(all.first<SealKey::kBytes>());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (keys.empty()) return Error{ErrorCode::kInvalidArgument, path + " holds no key"};
  return keys;
}

/// What the file holds, after it was made when it was missing.
Result<std::vector<SealKey>> read_or_make(const std::string& data_dir) {
  const std::string path = path_of(data_dir);
  const std::string earlier = data_dir + "/vault-keys";
  auto text = read_private_file(path, kFileBytesMax);
  if (text && !*text) {
    const bool renamed = std::rename(earlier.c_str(), path.c_str()) == 0;
    const Status made = renamed ? ok() : create_private_file(path, print({SealKey::random()}));
    if (!made) return made.error();
    text = read_private_file(path, kFileBytesMax);  // Of the process that was the fastest.
  }
  if (!text) return text.error();
  return parse(text->value_or(""), path);
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

Result<MasterKeys> MasterKeys::open(const std::string& data_dir) {
  auto keys = read_or_make(data_dir);
  if (!keys) return keys.error();
  return MasterKeys(*std::move(keys));
}

Result<MasterKeys> MasterKeys::add_new(const std::string& data_dir) {
  auto keys = read_or_make(data_dir);
  if (!keys) return keys.error();
  keys->insert(keys->begin(), SealKey::random());
  if (keys->size() > kKeysMax) {
    return Error{ErrorCode::kInvalidArgument,
                 path_of(data_dir) + " holds sixteen keys; remove the ones that no row needs"};
  }
  const Status written = replace_private_file(path_of(data_dir), print(*keys));
  if (!written) return written.error();
  return MasterKeys(*std::move(keys));
}

}  // namespace qylon::api
