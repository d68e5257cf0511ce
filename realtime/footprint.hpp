#pragma once
/// Which memory a delivery will touch, so that it can be fetched ahead of its use.

#include <array>
#include <cstddef>

namespace qylon::realtime {

/// Cache lines, each named by an address in it; null: none. Only hints: a wrong one costs time.
template <std::size_t kLines>
using Footprint = std::array<const void*, kLines>;

inline constexpr std::size_t kCacheLineBytes = 64;

/// The address `offset_bytes` behind the beginning of `object`.
inline const void* address_in(const void* object, std::size_t offset_bytes) noexcept {
  return static_cast<const char*>(object) + offset_bytes;
}

}  // namespace qylon::realtime
