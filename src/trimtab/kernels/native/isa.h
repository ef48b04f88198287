// The instruction set that the kernels run on, chosen once when the program runs.
#pragma once

namespace trimtab {

enum class Isa { baseline, avx2, avx512 };

// The widest that the processor has; TRIMTAB_ISA=baseline|avx2|avx512 in the environment asks for less.
Isa isa();

template <class Function>
Function* of_isa(Function* baseline, Function* avx2, Function* avx512) {
  return isa() == Isa::avx512 ? avx512 : isa() == Isa::avx2 ? avx2 : baseline;
}

}  // namespace trimtab

// TRIMTAB_OF_ISA(f)(x): f as it was compiled for the chosen instruction set; see every_isa.h.
#if defined(__x86_64__)
#define TRIMTAB_OF_ISA(...) \
  ::trimtab::of_isa(::trimtab::baseline::__VA_ARGS__, ::trimtab::avx2::__VA_ARGS__, ::trimtab::avx512::__VA_ARGS__)
#else
#define TRIMTAB_OF_ISA(...) (&::trimtab::baseline::__VA_ARGS__)
#endif
