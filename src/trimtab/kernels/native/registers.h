// How wide the registers of each instruction set are.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Not by __AVX2__ and its like: before GCC 13, and in Clang, those do not follow what every_isa.h compiles for.
namespace trimtab::baseline {
constexpr int REGISTER_BYTES = 16;  // SSE2, NEON
}
namespace trimtab::avx2 {
constexpr int REGISTER_BYTES = 32;
}
namespace trimtab::avx512 {
constexpr int REGISTER_BYTES = 64;
}
