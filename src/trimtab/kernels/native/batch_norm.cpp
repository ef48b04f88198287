// Batch normalisation of an array [outer, channels, inner]: y = γ x̂ + κ with x̂ = (x − shift − rest) rstd by channel.
//
// NCHW is [N, C, H W], NHWC is [N H W, C, 1], a matrix is [N, C, 1]. A channel's mean is kept as shift + rest: see
// layer_norm.cpp. γ, κ and all statistics are float32, or float64 for float64 values.

#include <cmath>
#include <cstring>

#include "api.h"
#include "dispatch.h"
#include "isa.h"
#include "layout.h"
#include "registers.h"
#include "team.h"

namespace trimtab {

// As the Python side lays it out. The types of numbers are T, that of the values, and A, the one that is computed in.
struct BatchNormJob {
  int64_t outer, channels, inner;
  double eps, divisor;
  const void *x, *dy;                     // T; dy: backward alone
  void* to;                               // T; y, or dx
  const void *weight, *bias;              // A, of each channel
  void *shift, *rest, *rstd, *deviation;  // A, of each channel: x̄ = shift + rest, 1/√(s² + ε), s
  void *dweight, *dbias;                  // A, of each channel: backward alone
  double* partial;                        // of each piece, or chunk and column: mean and M₂, or Σ dy and Σ dy x̂
  void* coefficients;                     // A, [channels, 4], or [4, columns]
};

template <class T>
struct BatchNorm : Planes {
  using A = wide<T>;

  Columns columns;
  double eps, divisor;
  const T *x, *dy;
  T* to;
  const A *weight, *bias;
  A *shift, *rest, *rstd, *deviation, *dweight, *dbias;
  double* partial;
  A* coefficients;

  explicit BatchNorm(const BatchNormJob& job)
      : Planes{job.outer, job.channels, job.inner}, columns(job.outer, job.channels, job.inner), eps(job.eps),
        divisor(job.divisor), x(static_cast<const T*>(job.x)), dy(static_cast<const T*>(job.dy)),
        to(static_cast<T*>(job.to)), weight(static_cast<const A*>(job.weight)), bias(static_cast<const A*>(job.bias)),
        shift(static_cast<A*>(job.shift)), rest(static_cast<A*>(job.rest)), rstd(static_cast<A*>(job.rstd)),
        deviation(static_cast<A*>(job.deviation)), dweight(static_cast<A*>(job.dweight)),
        dbias(static_cast<A*>(job.dbias)), partial(job.partial), coefficients(static_cast<A*>(job.coefficients)) {}
};

}  // namespace trimtab

#define TRIMTAB_LOOPS "batch_norm_loops.h"
#include "every_isa.h"

using namespace trimtab;

// How many float64 numbers `partial` has room for, and how many of A `coefficients` has.
TRIMTAB_API int64_t trimtab_batch_norm_partial(int64_t outer, int64_t channels, int64_t inner) {
  const Columns columns(outer, channels, inner);
  const Planes planes{outer, channels, inner};
  return 2 * (inner < SHORT ? columns.width * columns.chunks() : channels * planes.pieces());
}

TRIMTAB_API int64_t trimtab_batch_norm_coefficients(int64_t outer, int64_t channels, int64_t inner) {
  return 4 * (inner < SHORT ? Columns(outer, channels, inner).width : channels);
}

TRIMTAB_API void trimtab_batch_norm_forward(int32_t dtype, const BatchNormJob* job, int32_t threads) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    TRIMTAB_OF_ISA(batch_norm_forward<T>)(BatchNorm<T>(*job), threads);
  });
}

TRIMTAB_API void trimtab_batch_norm_backward(int32_t dtype, const BatchNormJob* job, int32_t threads) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    TRIMTAB_OF_ISA(batch_norm_backward<T>)(BatchNorm<T>(*job), threads);
  });
}

// y = (x − shift) γ + κ: of the job's numbers, `rest` and what comes after it are not used.
TRIMTAB_API void trimtab_batch_norm_apply(int32_t dtype, const BatchNormJob* job, int32_t threads) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    TRIMTAB_OF_ISA(batch_norm_apply<T>)(BatchNorm<T>(*job), threads);
  });
}
