#pragma once

#include <cstdint>
#include <string_view>

namespace qylon::dsp {

/// Instruction sets our kernels are written for, weakest first.
enum class Isa : std::uint8_t { kScalar, kAvx2, kAvx512 };

/// "scalar", "avx2" or "avx512".
std::string_view isa_name(Isa isa) noexcept;

/// True when this machine can run kernels written for `isa` (AVX2 means AVX2 and FMA).
bool isa_supported(Isa isa) noexcept;

/// The set all kernels use: the best this machine has, or less when the environment says
/// QYLON_ISA=scalar|avx2|avx512. A name that is unknown or beyond the machine is ignored.
///
/// Threads : any; decided once, at the first call.
Isa active_isa() noexcept;

}  // namespace qylon::dsp
