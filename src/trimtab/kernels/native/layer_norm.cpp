// Layer normalisation of `rows` rows of `width` values: y = γ x̂ + κ with x̂ = (x − shift − rest) rstd.
//
// A row's mean is kept as shift + rest, as rounded to one float32 it would be off by what an x − x̄ of size 1 shows when
// the mean is 10⁴. γ, κ and all statistics are float32, or float64 for float64 values.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "api.h"
#include "dispatch.h"
#include "isa.h"
#include "number.h"
#include "registers.h"
#include "streaming.h"
#include "team.h"

namespace trimtab {

template <class T>
struct LayerNormForward {
  const T* x;
  const wide<T>*weight, *bias;
  T* y;
  wide<T>*shift, *rest, *rstd;  // [rows]
  int64_t rows, width, chunk_rows;
  double eps, divisor;
  bool streamed;
};

template <class T>
struct LayerNormBackward {
  const T *dy, *x;
  const wide<T>*weight, *shift, *rest, *rstd;
  T* dx;
  wide<T>* partial;  // [chunks, 2, width]: of each chunk Σ dy x̂ and Σ dy
  int64_t rows, width, chunk_rows;
  double divisor;
  bool streamed;
};

// The sums of the chunks, added up in their order: of partial [chunks, 2, width] to dweight [width] and dbias [width].
template <class A>
struct Combine {
  const A* partial;
  A *dweight, *dbias;
  int64_t chunks, width;
};

constexpr int64_t COMBINED = 1024;  // columns of a chunk

}  // namespace trimtab

#define TRIMTAB_LOOPS "layer_norm_loops.h"
#include "every_isa.h"

namespace trimtab {
namespace {

constexpr int64_t CHUNK = 1 << 15;  // values of a chunk, forward

int64_t chunks(int64_t rows, int64_t chunk_rows) { return (rows + chunk_rows - 1) / chunk_rows; }

// Backward, a chunk adds up its rows in the narrower type: not too many, and enough for its sums to be cheap to combine.
int64_t backward_chunk_rows(int64_t width) { return std::clamp<int64_t>((1 << 14) / std::max<int64_t>(width, 1), 64, 256); }

}  // namespace
}  // namespace trimtab

using namespace trimtab;

TRIMTAB_API void trimtab_layer_norm_forward(int32_t dtype, const void* x, const void* weight, const void* bias, void* y,
                                            void* shift, void* rest, void* rstd, int64_t rows, int64_t width,
                                            double eps, double divisor, int32_t streamed, int32_t threads) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    using A = wide<T>;
    LayerNormForward<T> job{static_cast<const T*>(x), static_cast<const A*>(weight), static_cast<const A*>(bias),
                            static_cast<T*>(y), static_cast<A*>(shift), static_cast<A*>(rest), static_cast<A*>(rstd),
                            rows, width, std::max<int64_t>(CHUNK / width, 1), eps, divisor,
                            streamed && can_be_streamed<T>(width)};
    run_chunks(TRIMTAB_OF_ISA(forward_chunk<T>), &job, chunks(rows, job.chunk_rows), threads);
  });
}

// How many chunks the backward pass has: `partial` has room for the sums of each.
TRIMTAB_API int64_t trimtab_layer_norm_chunks(int64_t rows, int64_t width) {
  return chunks(rows, backward_chunk_rows(width));
}

// dweight and dbias [width] are Σ dy x̂ and Σ dy over the rows.
TRIMTAB_API void trimtab_layer_norm_backward(int32_t dtype, const void* dy, const void* x, const void* weight,
                                             const void* shift, const void* rest, const void* rstd, void* dx,
                                             void* partial, void* dweight, void* dbias, int64_t rows, int64_t width,
                                             double divisor, int32_t streamed, int32_t threads) {
  with_type(dtype, [&](auto type) {
    using T = decltype(type);
    using A = wide<T>;
    LayerNormBackward<T> job{static_cast<const T*>(dy), static_cast<const T*>(x), static_cast<const A*>(weight),
                             static_cast<const A*>(shift), static_cast<const A*>(rest), static_cast<const A*>(rstd),
                             static_cast<T*>(dx), static_cast<A*>(partial), rows, width, backward_chunk_rows(width),
                             divisor, streamed && can_be_streamed<T>(width)};
    const int64_t count = chunks(rows, job.chunk_rows);
    run_chunks(TRIMTAB_OF_ISA(backward_chunk<T>), &job, count, threads);
    Combine<A> combine{static_cast<const A*>(partial), static_cast<A*>(dweight), static_cast<A*>(dbias), count, width};
    run_chunks(TRIMTAB_OF_ISA(combine_chunk<A>), &combine, chunks(2 * width, COMBINED), threads);
  });
}
