#include "api/identity/text_codes.hpp"

#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>

namespace qylon::api {
namespace {

constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kHex = "0123456789abcdef";

/// `bytes` cut into groups of `bits`, the last one filled with zeros.
std::string encode(std::string_view bytes, std::string_view alphabet, int bits) {
  const unsigned mask = (1U << bits) - 1U;
  std::string text;
  text.reserve((bytes.size() * 8) / static_cast<std::size_t>(bits) + 1);
  unsigned window = 0;
  int held = 0;
  for (const char c : bytes) {
    window = (window << 8) | static_cast<std::uint8_t>(c);
    for (held += 8; held >= bits; held -= bits)
      text += alphabet[(window >> (held - bits)) & mask];
  }
  if (held > 0) text += alphabet[(window << (bits - held)) & mask];
  return text;
}

constexpr std::array<std::int8_t, 256> make_values(std::string_view alphabet) {
  std::array<std::int8_t, 256> values{};
  for (std::int8_t& value : values)
    value = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::int8_t>(i);
  return values;
}

constexpr std::array<std::int8_t, 256> kBase64UrlValues = make_values(kBase64Url);
constexpr std::array<std::int8_t, 256> kHexValues = make_values(kHex);

std::optional<std::string> decode(std::string_view text,
                                  const std::array<std::int8_t, 256>& values,
                                  int bits) {
  std::string bytes;
  bytes.reserve(text.size() * static_cast<std::size_t>(bits) / 8);
  unsigned window = 0;
  int held = 0;
  for (const char c : text) {
    const int value = values[static_cast<std::uint8_t>(c)];
    if (value < 0) return std::nullopt;
    window = (window << bits) | static_cast<unsigned>(value);
    held += bits;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>((window >> held) & 0xFFU);
  }
  const bool canonical = held < bits && (window & ((1U << held) - 1U)) == 0;
  return canonical ? std::optional<std::string>(std::move(bytes)) : std::nullopt;
}

}  // namespace

std::string base64url(std::string_view bytes) {
  return encode(bytes, kBase64Url, 6);
}

std::optional<std::string> parse_base64url(std::string_view text) {
  return decode(text, kBase64UrlValues, 6);
}

std::string base32(std::string_view bytes) {
  return encode(bytes, kBase32, 5);
}

std::string hex(std::string_view bytes) {
  return encode(bytes, kHex, 4);
}

std::optional<std::string> parse_hex(std::string_view text) {
  return decode(text, kHexValues, 4);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (byte < 0x80 && std::isalnum(byte) != 0) || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace qylon::api
