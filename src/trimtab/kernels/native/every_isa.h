// Compiles a file of loops once for each instruction set: in trimtab::baseline, trimtab::avx2, trimtab::avx512.
//
//   #define TRIMTAB_LOOPS "step_loops.h"
//   #include "every_isa.h"
//
// A file of loops has no includes and no include guard. What it calls from headers read before must be inlined
// (TRIMTAB_INLINE): compiled apart, it would be of the baseline.

namespace trimtab::baseline {
#include TRIMTAB_LOOPS
}

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace trimtab::avx2 {
#include TRIMTAB_LOOPS
}
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,avx512f,avx512vl,avx512bw,avx512dq"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512vl,avx512bw,avx512dq,prefer-vector-width=512")
#endif
namespace trimtab::avx512 {
#include TRIMTAB_LOOPS
}
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

#undef TRIMTAB_LOOPS
