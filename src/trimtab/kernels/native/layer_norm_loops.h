// Layer normalisation of rows, forward and backward: the chunks of the jobs of layer_norm.cpp.

#include "lanes_loops.h"
#include "parts_loops.h"

template <class T>
TRIMTAB_INLINE void forward_row(const LayerNormForward<T>& job, int64_t r) {
  using A = wide<T>;
  const T* x = job.x + r * job.width;
  T* y = job.y + r * job.width;
  const Part part = part_of_all(Runs<T>{x, 1, job.width, 0});
  const A shift = part.mean, rest = part.mean - shift, rstd = 1 / __builtin_sqrt(part.m2 / job.divisor + job.eps);
  const A offset = -rest * rstd, *const weight = job.weight, *const bias = job.bias;
  job.shift[r] = shift, job.rest[r] = rest, job.rstd[r] = rstd;
  each_written_column(y, job.width, job.streamed, [=](int64_t j, auto at) __attribute__((always_inline)) {
    at.set(y + j, ((at.get(x + j) - shift) * rstd + offset) * at.get(weight + j) + at.get(bias + j));
  });
}

template <class T>
void forward_chunk(void* context, int64_t k) {
  const auto& job = *static_cast<const LayerNormForward<T>*>(context);
  const int64_t end = least((k + 1) * job.chunk_rows, job.rows);
  for (int64_t r = k * job.chunk_rows; r < end; ++r) forward_row(job, r);
  if (job.streamed) settle();
}

// The sums of so many columns stay in the first cache beside a row. Of more, rows that are read together share one update
// of them; the result is the same.
constexpr int64_t NARROW = 2048;

// G rows from r on. All that the loops read is at hand: a store might change what lies in the job.
template <class T, int G>
struct BackwardRows {
  using A = wide<T>;
  const T *dy, *x;
  T* dx;
  const A* weight;
  int64_t width;
  double divisor;
  bool streamed;
  A shift[G], rstd[G], offset[G];
  double along[G] = {}, across[G] = {};  // Σ g and Σ g x̂ of each, g = γ dy

  TRIMTAB_INLINE BackwardRows(const LayerNormBackward<T>& job, int64_t r)
      : dy(job.dy + r * job.width), x(job.x + r * job.width), dx(job.dx + r * job.width), weight(job.weight),
        width(job.width), divisor(job.divisor), streamed(job.streamed) {
    for (int k = 0; k < G; ++k)
      shift[k] = job.shift[r + k], rstd[k] = job.rstd[r + k], offset[k] = -job.rest[r + k] * rstd[k];
  }

  TRIMTAB_INLINE void reduce(int64_t from, int64_t to, A* dweight, A* dbias) {
    Values<A> sum[G] = {}, product[G] = {};
    each_column<A>(from, to, [&](int64_t j, auto at) __attribute__((always_inline)) {
      const Values<A> gamma = at.get(weight + j);
      Values<A> dw = at.get(dweight + j), db = at.get(dbias + j);
      for (int k = 0; k < G; ++k) {
        const Values<A> d = at.get(dy + k * width + j), g = d * gamma;
        const Values<A> normal = (at.get(x + k * width + j) - shift[k]) * rstd[k] + offset[k];
        dw += d * normal;
        db += d;
        sum[k] += g;
        product[k] += g * normal;
      }
      at.set(dweight + j, dw);
      at.set(dbias + j, db);
    });
    for (int k = 0; k < G; ++k) along[k] += total<A>(sum[k]), across[k] += total<A>(product[k]);
  }

  TRIMTAB_INLINE void write(int k) const {
    const T *const dy_k = dy + k * width, *const x_k = x + k * width;
    T* const dx_k = dx + k * width;
    const A shift_k = shift[k], rstd_k = rstd[k], offset_k = offset[k], *const gamma = weight;
    const A mean = -rstd_k * along[k] / width, slope = -rstd_k * across[k] / divisor;
    each_written_column(dx_k, width, streamed, [=](int64_t j, auto at) __attribute__((always_inline)) {
      const Values<A> normal = (at.get(x_k + j) - shift_k) * rstd_k + offset_k;
      at.set(dx_k + j, at.get(dy_k + j) * at.get(gamma + j) * rstd_k + (normal * slope + mean));
    });
  }
};

template <int G, class T>
TRIMTAB_INLINE void backward_rows(const LayerNormBackward<T>& job, int64_t r, wide<T>* dweight, wide<T>* dbias) {
  BackwardRows<T, G> rows(job, r);
  for (int64_t j = 0; j < job.width; j += BLOCK) rows.reduce(j, least(j + BLOCK, job.width), dweight, dbias);
  for (int k = 0; k < G; ++k) rows.write(k);
}

template <int TOGETHER, class T>
TRIMTAB_INLINE void all_backward_rows(const LayerNormBackward<T>& job, int64_t r, int64_t end, wide<T>* dweight,
                                      wide<T>* dbias) {
  for (; r + TOGETHER <= end; r += TOGETHER) backward_rows<TOGETHER>(job, r, dweight, dbias);
  for (; r < end; ++r) backward_rows<1>(job, r, dweight, dbias);
}

template <class T>
void backward_chunk(void* context, int64_t k) {
  const auto& job = *static_cast<const LayerNormBackward<T>*>(context);
  wide<T>*dweight = job.partial + 2 * k * job.width, *dbias = dweight + job.width;
  std::memset(dweight, 0, 2 * job.width * sizeof *dweight);
  const int64_t r = k * job.chunk_rows, end = least(r + job.chunk_rows, job.rows);
  if (job.width <= NARROW)
    all_backward_rows<1>(job, r, end, dweight, dbias);
  else
    all_backward_rows<4>(job, r, end, dweight, dbias);
  if (job.streamed) settle();
}

template <class A>
void combine_chunk(void* context, int64_t k) {
  const auto& job = *static_cast<const Combine<A>*>(context);
  const int64_t from = k * COMBINED, columns = 2 * job.width, n = least(COMBINED, columns - from);
  double sums[COMBINED] = {};
  for (int64_t chunk = 0; chunk < job.chunks; ++chunk)
    for (int64_t j = 0; j < n; ++j) sums[j] += job.partial[chunk * columns + from + j];
  for (int64_t j = from; j < from + n; ++j)
    (j < job.width ? job.dweight + j : job.dbias + j - job.width)[0] = static_cast<A>(sums[j - from]);
}
