#pragma once
/// Authenticated encryption of small pieces of data at rest.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qylon {

/// A key of AES-256-GCM. Its memory is wiped when it goes.
///
/// Nonces  : 96 random bits each, so no counter must survive a crash. NIST SP 800-38D section 8.3
///           allows 2^32 pieces a key that way: 32 tracks of 50 frames a second for 31 days.
/// Threads : const methods from any thread.
/// Cost    : about 1 us and 1 ns a byte.
class SealKey {
 public:
  static constexpr std::size_t kBytes = 32;
  /// What seal() adds: nonce (12) before, tag (16) behind.
  static constexpr std::size_t kOverheadBytes = 28;

  /// Random, from the system. Aborts only when the system has no randomness.
  static SealKey random();
  explicit SealKey(std::span<const std::uint8_t, kBytes> bytes);
  SealKey(const SealKey&) = default;
  SealKey& operator=(const SealKey&) = default;
  SealKey(SealKey&&) = default;
  SealKey& operator=(SealKey&&) = default;
  ~SealKey();

  /// Replaces `data` by its sealed form, which opens only with the same `context`.
  void seal(std::span<const std::uint8_t> context, std::vector<std::uint8_t>& data) const;
  /// The inverse. False, and `data` is empty: another key or context, or damage.
  [[nodiscard]] bool open(std::span<const std::uint8_t> context,
                          std::vector<std::uint8_t>& data) const;
  /// For sealing it with another key.
  std::span<const std::uint8_t, kBytes> bytes() const noexcept { return bytes_; }

 private:
  std::array<std::uint8_t, kBytes> bytes_{};
};

}  // namespace qylon
