#include "api/identity/sealed_text.hpp"

#include <cstdint>
#include <span>
#include <vector>

#include "api/identity/text_codes.hpp"

namespace qylon::api {
namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string_view text_of(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string seal_text(const SealKey& key, std::string_view context, std::string_view secret) {
  std::vector<std::uint8_t> data(secret.begin(), secret.end());
  key.seal(bytes_of(context), data);
  return hex(text_of(data));
}

std::optional<std::string> open_sealed(const SealKey& key,
                                       std::string_view context,
                                       std::string_view sealed) {
  const auto bytes = parse_hex(sealed);
  if (!bytes) return std::nullopt;
  std::vector<std::uint8_t> data(bytes->begin(), bytes->end());
  if (!key.open(bytes_of(context), data)) return std::nullopt;
  return std::string(text_of(data));
}

}  // namespace qylon::api
