#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "api.h"

// Asks for large pages where the system gives them on demand. What cannot be had is no error: the memory is as it was.
TRIMTAB_API void trimtab_on_large_pages(void* start, int64_t bytes) {
#if defined(MADV_HUGEPAGE)
  constexpr uintptr_t LARGE = uintptr_t{1} << 21;
  const auto from = (reinterpret_cast<uintptr_t>(start) + LARGE - 1) / LARGE * LARGE;
  const auto to = (reinterpret_cast<uintptr_t>(start) + bytes) / LARGE * LARGE;
  if (from < to) madvise(reinterpret_cast<void*>(from), to - from, MADV_HUGEPAGE);
#endif
}
