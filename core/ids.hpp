#pragma once
/// Strong identifiers: a meeting's id can never be passed where a session's is meant.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace qylon {

/// 128 random bits with the version and variant bits of RFC 9562 section 5.4 (UUID version 4).
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  /// Random, from the kernel (getrandom). Aborts only when the kernel has no randomness.
  static Uuid random();
  /// Reads the 36-character form of RFC 9562 section 4, either case; any version. Nothing else.
  static std::optional<Uuid> parse(std::string_view text);
  /// Lower-case 36-character form.
  std::string to_string() const;

  auto operator<=>(const Uuid&) const = default;
};

template <typename Tag>
struct StrongUuid {
  Uuid value;

  static StrongUuid random() { return {Uuid::random()}; }
  static std::optional<StrongUuid> parse(std::string_view text) {
    const auto uuid = Uuid::parse(text);
    if (!uuid) return std::nullopt;
    return StrongUuid{*uuid};
  }
  std::string to_string() const { return value.to_string(); }
  auto operator<=>(const StrongUuid&) const = default;
};

using MeetingId = StrongUuid<struct MeetingTag>;
/// Names one numbering of a meeting's captions; offsets are comparable only within one epoch.
using Epoch = StrongUuid<struct EpochTag>;
/// Names one sender's capture clock; capture times are comparable only within one clock.
using ClockId = StrongUuid<struct ClockTag>;

/// Track number inside a meeting, chosen by the uplink that feeds it. 0..65535.
using TrackId = std::uint16_t;

}  // namespace qylon

template <typename Tag>
struct std::hash<qylon::StrongUuid<Tag>> {
  std::size_t operator()(const qylon::StrongUuid<Tag>& id) const noexcept {
    std::size_t mixed = 0;
    for (const std::uint8_t byte : id.value.bytes)
      mixed = mixed * 131 + byte;
    return mixed;
  }
};
