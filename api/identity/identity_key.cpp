#include "api/identity/identity_key.hpp"

#include <optional>

#include "api/core/wrapped_file.hpp"
#include "api/identity/digest.hpp"
#include "api/identity/text_codes.hpp"
#include "core/private_file.hpp"

namespace qylon::api {
namespace {

constexpr std::string_view kContext = "qylon identity key";
constexpr std::string_view kPlainPrefix = "qyi_";
constexpr std::size_t kFileBytesMax = 4'096;

/// What an earlier release wrote: the prefix and base64url.
std::optional<std::string> parse_plain(std::string_view text) {
  if (!text.starts_with(kPlainPrefix)) return std::nullopt;
  if (text.ends_with('\n')) text.remove_suffix(1);
  return parse_base64url(text.substr(kPlainPrefix.size()));
}

Status seal_plain(const std::string& path, const MasterKeys& masters) {
  const auto text = read_private_file(path, kFileBytesMax);
  if (!text) return text.error();
  const auto key = parse_plain(text->value_or(""));
  if (!key) return ok();
  return replace_private_file(path, wrap(kContext, *key, masters));
}

}  // namespace

Result<SealKey> load_or_create_identity_key(const std::string& data_dir,
                                            const MasterKeys& masters) {
  const std::string path = data_dir + "/identity-key";
  const Status sealed = seal_plain(path, masters);
  if (!sealed) return sealed.error();
  const auto key =
      load_or_create_wrapped(path, kContext, masters, [] { return random_bytes(SealKey::kBytes); });
  if (!key) return key.error();
  if (key->size() != SealKey::kBytes)
    return Error{ErrorCode::kInvalidArgument, path + " holds no key of 32 bytes"};
  const std::span all{reinterpret_cast<const std::uint8_t*>(key->data()), key->size()};
  return SealKey(all.first<SealKey::kBytes>());
}

}  // namespace qylon::api
