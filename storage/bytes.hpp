#pragma once
/// Little-endian integers and strings in a byte buffer, for the journal's own formats.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace qylon::storage {

static_assert(std::endian::native == std::endian::little, "the formats are copied, not swapped");

template <typename T>
concept PlainNumber = std::is_arithmetic_v<T>;

/// Threads: one at a time.
class ByteWriter {
 public:
  explicit ByteWriter(std::vector<std::uint8_t>& out) : out_(out) {}

  template <PlainNumber T>
  void number(T value) {
    std::uint8_t raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    bytes(raw);
  }
  void bytes(std::span<const std::uint8_t> raw) { out_.insert(out_.end(), raw.begin(), raw.end()); }
  /// Length as u32, then the bytes.
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_.insert(out_.end(), value.begin(), value.end());
  }
  void zeros(std::size_t count) { out_.insert(out_.end(), count, 0); }

 private:
  std::vector<std::uint8_t>& out_;
};

/// Every read either succeeds whole or makes failed() true and yields zero or nothing.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> in) : in_(in) {}

  template <PlainNumber T>
  T number() {
    T value{};
    const auto raw = bytes(sizeof(T));
    if (raw.size() == sizeof(T)) std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }
  std::span<const std::uint8_t> bytes(std::size_t count) {
    if (failed_ || count > in_.size()) {
      failed_ = true;
      return {};
    }
    const auto taken = in_.first(count);
    in_ = in_.subspan(count);
    return taken;
  }
  std::string text() {
    const auto raw = bytes(number<std::uint32_t>());
    return {raw.begin(), raw.end()};
  }
  std::size_t left() const noexcept { return in_.size(); }
  bool failed() const noexcept { return failed_; }

 private:
  std::span<const std::uint8_t> in_;
  bool failed_ = false;
};

}  // namespace qylon::storage
