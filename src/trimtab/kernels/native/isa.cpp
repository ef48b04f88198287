#include "isa.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "api.h"

namespace trimtab {
namespace {

Isa widest() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  if (avx2) return avx512 ? Isa::avx512 : Isa::avx2;
#endif
  return Isa::baseline;
}

Isa asked() {
  const char* name = std::getenv("TRIMTAB_ISA");
  if (name && !std::strcmp(name, "baseline")) return Isa::baseline;
  if (name && !std::strcmp(name, "avx2")) return Isa::avx2;
  return Isa::avx512;
}

}  // namespace

Isa isa() {
  static const Isa chosen = std::min(widest(), asked());
  return chosen;
}

}  // namespace trimtab

TRIMTAB_API const char* trimtab_isa() {
  switch (trimtab::isa()) {
    case trimtab::Isa::avx512: return "avx512";
    case trimtab::Isa::avx2: return "avx2";
    default: return "baseline";
  }
}
