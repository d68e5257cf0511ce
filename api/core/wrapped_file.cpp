#include "api/core/wrapped_file.hpp"

#include <optional>
#include <span>
#include <vector>

#include "api/identity/text_codes.hpp"
#include "core/private_file.hpp"

namespace qylon::api {
namespace {

constexpr std::size_t kFileBytesMax = 4'096;

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Nothing: none of the keys opens it.
std::optional<std::string> unwrap(std::string_view line,
                                  std::string_view context,
                                  const MasterKeys& masters) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  const auto blank = line.find(' ');
  const SealKey* const master = masters.find(line.substr(0, blank));
  if (master == nullptr || blank == std::string_view::npos) return std::nullopt;
  const auto sealed = parse_hex(line.substr(blank + 1));
  if (!sealed) return std::nullopt;
  std::vector<std::uint8_t> data(sealed->begin(), sealed->end());
  if (!master->open(bytes_of(context), data)) return std::nullopt;
  return std::string(data.begin(), data.end());
}

}  // namespace

std::string wrap(std::string_view context, std::string_view secret, const MasterKeys& masters) {
  std::vector<std::uint8_t> data(secret.begin(), secret.end());
  masters.active().seal(bytes_of(context), data);
  const std::string_view sealed(reinterpret_cast<const char*>(data.data()), data.size());
  return masters.active_id() + " " + hex(sealed) + "\n";
}

Result<std::string> load_or_create_wrapped(const std::string& path,
                                           std::string_view context,
                                           const MasterKeys& masters,
                                           const std::function<std::string()>& make) {
  auto line = read_private_file(path, kFileBytesMax);
  if (line && !*line) {
    const Status created = create_private_file(path, wrap(context, make(), masters));
    if (!created) return created.error();
    line = read_private_file(path, kFileBytesMax);  // Ours, or that of a process that was faster.
  }
  if (!line) return line.error();
  auto secret = unwrap(line->value_or(""), context, masters);
  if (!secret)
    return Error{ErrorCode::kInvalidArgument, path + " was not sealed by these master keys"};
  if (!(*line)->starts_with(masters.active_id())) {
    const Status replaced = replace_private_file(path, wrap(context, *secret, masters));
    if (!replaced) return replaced.error();
  }
  return *std::move(secret);
}

}  // namespace qylon::api
