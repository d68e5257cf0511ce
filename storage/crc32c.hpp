#pragma once
/// The checksum of the journal.

#include <cstdint>
#include <span>

namespace qylon::storage {

/// Castagnoli CRC of iSCSI. `crc` is the result for what came before, 0 at the start.
/// Cost: one SSE4.2 instruction per 8 bytes where the CPU has it, else a table step per byte.
/// Source: RFC 3720 section 12.1 (polynomial), B.4 (test vectors).
std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t crc = 0) noexcept;

/// The table form, which the fast one must agree with.
std::uint32_t crc32c_portable(std::span<const std::uint8_t> bytes, std::uint32_t crc = 0) noexcept;

}  // namespace qylon::storage
