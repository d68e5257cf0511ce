#include "dsp/isa.hpp"

#include <cstdlib>

namespace qylon::dsp {
namespace {

Isa best_isa() noexcept {
  if (isa_supported(Isa::kAvx512)) return Isa::kAvx512;
  return isa_supported(Isa::kAvx2) ? Isa::kAvx2 : Isa::kScalar;
}

Isa wanted_isa() noexcept {
  const char* const wanted = std::getenv("QYLON_ISA");
  const std::string_view name = wanted != nullptr ? wanted : "";
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512}) {
    if (name == isa_name(isa) && isa_supported(isa)) return isa;
  }
  return best_isa();
}

}  // namespace

std::string_view isa_name(Isa isa) noexcept {
  switch (isa) {
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kScalar:
      break;
  }
  return "scalar";
}

bool isa_supported(Isa isa) noexcept {
  __builtin_cpu_init();
  switch (isa) {
    case Isa::kAvx2:
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    case Isa::kAvx512:
      return isa_supported(Isa::kAvx2) && __builtin_cpu_supports("avx512f") != 0;
    case Isa::kScalar:
      break;
  }
  return true;
}

Isa active_isa() noexcept {
  static const Isa isa = wanted_isa();
  return isa;
}

}  // namespace qylon::dsp
