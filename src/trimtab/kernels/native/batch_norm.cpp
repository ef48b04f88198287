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
#include "streaming.h"
#include "team.h"

namespace trimtab {

inline int64_t numbers_of_parts(int64_t outer, int64_t channels, int64_t inner) {
  const Columns columns(outer, channels, inner);
  return 2 * (inner < SHORT ? columns.width * columns.chunks() : channels * Planes{outer, channels, inner}.pieces());
}

// As the Python side lays it out. The types of numbers are T, that of the values, and A, the one that is computed in.
struct BatchNormJob {
  int64_t outer, channels, inner;
  double eps, divisor;
  const void *x, *dy;                     // T; dy: backward alone
  void* to;                               // T; y, or dx
  const void *weight, *bias;              // A, of each channel
  void *shift, *rest, *rstd, *deviation;  // A, of each channel: x̄ = shift + rest, 1/√(s² + ε), s
  void *dweight, *dbias;                  // A, of each channel: backward alone
  const void* variance;                   // A, of each channel: evaluation alone
  double* room;                           // what trimtab_batch_norm_room asks for
  int64_t streamed;                       // whether `to` is written past the caches
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
  const A* variance;
  double* partial;   // of each piece, or chunk and column: mean and M₂, or Σ dy and Σ dy x̂
  A* coefficients;   // [channels, 4], or [4, columns]
  bool streamed;
  int64_t threads = 1;

  explicit BatchNorm(const BatchNormJob& job)
      : Planes{job.outer, job.channels, job.inner}, columns(job.outer, job.channels, job.inner), eps(job.eps),
        divisor(job.divisor), x(static_cast<const T*>(job.x)), dy(static_cast<const T*>(job.dy)),
        to(static_cast<T*>(job.to)), weight(static_cast<const A*>(job.weight)), bias(static_cast<const A*>(job.bias)),
        shift(static_cast<A*>(job.shift)), rest(static_cast<A*>(job.rest)), rstd(static_cast<A*>(job.rstd)),
        deviation(static_cast<A*>(job.deviation)), dweight(static_cast<A*>(job.dweight)),
        dbias(static_cast<A*>(job.dbias)), variance(static_cast<const A*>(job.variance)), partial(job.room),
        coefficients(reinterpret_cast<A*>(job.room + numbers_of_parts(job.outer, job.channels, job.inner))),
        streamed(job.streamed && can_be_streamed<T>(job.inner < SHORT ? columns.width : job.inner)) {}
};

}  // namespace trimtab

#define TRIMTAB_LOOPS "batch_norm_loops.h"
#include "every_isa.h"

using namespace trimtab;

// How many float64 numbers a job needs room for.
TRIMTAB_API int64_t trimtab_batch_norm_room(int64_t outer, int64_t channels, int64_t inner) {
  const int64_t coefficients = 4 * (inner < SHORT ? Columns(outer, channels, inner).width : channels);
  return numbers_of_parts(outer, channels, inner) + coefficients;
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

// y = γ (x − shift)/√(variance + ε) + κ, by given statistics.
TRIMTAB_API void trimtab_batch_norm_apply(int32_t dtype, const BatchNormJob* job, int32_t threads) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    TRIMTAB_OF_ISA(batch_norm_apply<T>)(BatchNorm<T>(*job), threads);
  });
}
