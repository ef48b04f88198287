// Eight numbers of each channel of an array [outer, channels, inner], in one pass: how many values are finite, their mean,
// Σ (xᵢ − mean)², the smallest and the largest of them, how many are zero, how many values are not finite, and of how many
// finite ones |x| is `limit` or more.

#include <cmath>
#include <cstring>

#include "api.h"
#include "dispatch.h"
#include "isa.h"
#include "layout.h"
#include "registers.h"
#include "team.h"

namespace trimtab {

template <class T>
struct Moments : Planes {
  Columns columns;
  const T* x;
  double limit;
  double* partial;  // of each piece of a channel, or of each chunk and column: the eight numbers
  double* to;       // [8, channels]
};

}  // namespace trimtab

#define TRIMTAB_LOOPS "moments_loops.h"
#include "every_isa.h"

using namespace trimtab;

// How many numbers `partial` has room for.
TRIMTAB_API int64_t trimtab_moments_partial(int64_t outer, int64_t channels, int64_t inner) {
  const Columns columns(outer, channels, inner);
  const Planes planes{outer, channels, inner};
  return 8 * (inner < SHORT ? columns.width * columns.chunks() : channels * planes.pieces());
}

// `precise` computes in float64 what shorter formats hold, too.
TRIMTAB_API void trimtab_moments(int32_t dtype, const void* x, int64_t outer, int64_t channels, int64_t inner,
                                 double limit, int32_t precise, double* partial, double* to, int32_t threads) {
  const Planes planes{outer, channels, inner};
  const Columns columns(outer, channels, inner);
  const auto run = [&](auto type) {
    using T = decltype(type);
    TRIMTAB_OF_ISA(moments<T>)(Moments<T>{planes, columns, static_cast<const T*>(x), limit, partial, to}, threads);
  };
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    if constexpr (std::is_same_v<T, double>)
      run(type);
    else
      precise ? run(InFloat64<T>{}) : run(type);
  });
}
