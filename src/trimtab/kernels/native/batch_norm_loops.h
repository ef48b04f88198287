// Batch normalisation, forward and backward: the chunks of the jobs of batch_norm.cpp.
//
// Either way a chunk is measured, what was measured is put together channel by channel, and the chunk is written. Forward
// and Backward say how: a Part is count, mean and M₂ forward, count, Σ dy and Σ dy x̂ backward.

constexpr int64_t ENOUGH = 4;  // channels for each thread, for a channel to be one thread's work

#include "lanes_loops.h"
#include "parts_loops.h"
#include "columns_loops.h"

// What a value is written with: y = (x − shift) a + b, dx = ((x − shift) b + (dy + c)) a. No product of two 1/s, which a
// float32 might not hold.
template <class V>
struct Coefficients {
  V shift, a, b, c;
};

template <class T>
struct Forward {
  using A = wide<T>;
  using Job = BatchNorm<T>;

  static TRIMTAB_INLINE Part together(Part one, Part other) { return merge(one, other); }

  static TRIMTAB_INLINE Part measure(const Job&, int64_t, Runs<T> runs) { return part_of_all(runs); }

  static TRIMTAB_INLINE void measure(const Job&, Rows<T> rows, double* mean, double* m2) {
    column_parts(rows, mean, m2);
  }

  static TRIMTAB_INLINE Coefficients<A> finish(const Job& job, int64_t c, Part whole) {
    const double variance = whole.m2 / job.divisor, rstd = 1 / __builtin_sqrt(variance + job.eps);
    const A shift = whole.mean, rest = whole.mean - shift, a = job.weight[c] * rstd;
    job.shift[c] = shift, job.rest[c] = rest, job.rstd[c] = rstd, job.deviation[c] = __builtin_sqrt(variance);
    return {shift, a, job.bias[c] - rest * a, 0};
  }

  // Writes from a value on.
  const T* x;
  T* to;

  TRIMTAB_INLINE Forward(const Job& job, int64_t start) : x(job.x + start), to(job.to + start) {}

  template <class V, class At>
  TRIMTAB_INLINE void write(int64_t i, At at, Coefficients<V> by) const {
    at.set(to + i, (at.get(x + i) - by.shift) * by.a + by.b);
  }

  TRIMTAB_INLINE void fetch(int64_t i) const { __builtin_prefetch(x + i, 0, 2); }
};

template <class T>
struct Backward {
  using A = wide<T>;
  using Job = BatchNorm<T>;

  static TRIMTAB_INLINE Part together(Part one, Part other) {
    return {one.count + other.count, one.mean + other.mean, one.m2 + other.m2};
  }

  static TRIMTAB_INLINE Part measure(const Job& job, int64_t c, Runs<T> runs) {
    Part whole{0, 0, 0};
    each_block(runs, BLOCK, [&](Runs<T> block) { whole = together(whole, block_sums(job, c, block)); });
    return whole;
  }

  static TRIMTAB_INLINE Part block_sums(const Job& job, int64_t c, Runs<T> runs) {
    const A shift = job.shift[c], rstd = job.rstd[c], offset = -job.rest[c] * rstd;
    const T* const dy = job.dy + (runs.x - job.x);
    Values<A> sum{}, product{};
    for (int64_t run = 0; run < runs.count; ++run)
      each_column<A>(0, runs.length, [&](int64_t i, auto at) __attribute__((always_inline)) {
        const Values<A> d = at.get(dy + run * runs.stride + i);
        sum += d;
        product += d * ((at.get(runs.x + run * runs.stride + i) - shift) * rstd + offset);
      });
    return {double(runs.size()), total<A>(sum), total<A>(product)};
  }

  // By what `expanded_statistics` wrote.
  static TRIMTAB_INLINE void measure(const Job& job, Rows<T> rows, double* sums, double* products) {
    each_panel<A>(rows.width, [&](Panel<A> panel) {
      double sum[Panel<A>::MOST * LANES<A>] = {}, product[Panel<A>::MOST * LANES<A>] = {};
      for (int64_t row = 0; row < rows.count; row += STRIP) add_strip_sums(job, rows.strip(row), panel, sum, product);
      for (int r = 0; r < panel.registers(); ++r) {
        std::memcpy(sums + panel.start(r), sum + r * LANES<A>, sizeof(double) * LANES<A>);
        std::memcpy(products + panel.start(r), product + r * LANES<A>, sizeof(double) * LANES<A>);
      }
    });
  }

  static TRIMTAB_INLINE void add_strip_sums(const Job& job, Rows<T> rows, Panel<A> panel, double* sums,
                                            double* products) {
    const T* const dy = job.dy + (rows.x - job.x);
    const A *const shifts = job.coefficients, *const rstds = shifts + rows.width, *const offsets = rstds + rows.width;
    Values<A> sum[Panel<A>::MOST] = {}, product[Panel<A>::MOST] = {};
    each_of_strip<BESIDE>(rows, panel, [&](int64_t row, int r, auto n, auto m) __attribute__((always_inline)) {
      Values<A> shift[m.value], rstd[m.value], offset[m.value], s[m.value] = {}, p[m.value] = {};
      for (int k = 0; k < m.value; ++k) {
        const int64_t j = panel.start(r + k);
        shift[k] = lanes<A>(shifts + j), rstd[k] = lanes<A>(rstds + j), offset[k] = lanes<A>(offsets + j);
      }
      for (int i = 0; i < n.value; ++i)
        for (int k = 0; k < m.value; ++k) {
          const int64_t at = (row + i) * rows.width + panel.start(r + k);
          const Values<A> d = lanes<A>(dy + at);
          s[k] += d;
          p[k] += d * ((lanes<A>(rows.x + at) - shift[k]) * rstd[k] + offset[k]);
        }
      for (int k = 0; k < m.value; ++k) sum[r + k] += s[k], product[r + k] += p[k];
    });
    for (int c = 0; c < panel.registers() * LANES<A>; ++c) {
      sums[c] += sum[c / LANES<A>][c % LANES<A>];
      products[c] += product[c / LANES<A>][c % LANES<A>];
    }
  }

  static TRIMTAB_INLINE Coefficients<A> finish(const Job& job, int64_t c, Part whole) {
    const double rstd = job.rstd[c], slope = -rstd * whole.m2 / job.divisor;
    job.dbias[c] = whole.mean, job.dweight[c] = whole.m2;
    return {job.shift[c], A(job.weight[c] * rstd), A(slope), A(-whole.mean / whole.count - slope * job.rest[c])};
  }

  const T *x, *dy;
  T* to;

  TRIMTAB_INLINE Backward(const Job& job, int64_t start) : x(job.x + start), dy(job.dy + start), to(job.to + start) {}

  template <class V, class At>
  TRIMTAB_INLINE void write(int64_t i, At at, Coefficients<V> by) const {
    at.set(to + i, ((at.get(x + i) - by.shift) * by.b + (at.get(dy + i) + by.c)) * by.a);
  }

  TRIMTAB_INLINE void fetch(int64_t i) const { __builtin_prefetch(x + i, 0, 2), __builtin_prefetch(dy + i, 0, 2); }
};

// Channels of long runs.

template <class T>
TRIMTAB_INLINE Runs<T> piece(const BatchNorm<T>& job, int64_t c, int64_t k) {
  const Span span = job.piece(c, k);
  return {job.x + span.start, span.count, span.length, span.stride};
}

template <class Way, class T>
TRIMTAB_INLINE void measure_piece(const BatchNorm<T>& job, int64_t c, int64_t k) {
  const Part part = Way::measure(job, c, piece(job, c, k));
  double* partial = job.partial + 2 * (c * job.pieces() + k);
  partial[0] = part.mean, partial[1] = part.m2;
}

template <class Way, class T>
TRIMTAB_INLINE void finish_channel(const BatchNorm<T>& job, int64_t c) {
  Part whole{0, 0, 0};
  for (int64_t k = 0; k < job.pieces(); ++k) {
    const double* partial = job.partial + 2 * (c * job.pieces() + k);
    whole = Way::together(whole, {double(piece(job, c, k).size()), partial[0], partial[1]});
  }
  const auto by = Way::finish(job, c, whole);
  std::memcpy(job.coefficients + 4 * c, &by, sizeof by);
}

// `n` values of one channel from `start` on; those that lie `ahead` of them, if any, are fetched meanwhile.
template <class Way, class T>
TRIMTAB_INLINE void write_run(const BatchNorm<T>& job, int64_t c, int64_t start, int64_t n, int64_t ahead) {
  const auto by = read<Coefficients<wide<T>>>(job.coefficients + 4 * c);
  const Way here(job, start);
  each_written_column(job.to + start, n, job.streamed, [=](int64_t i, auto at) __attribute__((always_inline)) {
    if (ahead) here.fetch(i + ahead);
    here.write(i, at, by);
  });
}

// A chunk of one channel, which is read twice while it is in the cache. While it is written memory has little to do: the
// channel that comes next, `threads` further on, is fetched.
template <class Way, class T>
void whole_channel(void* context, int64_t c) {
  const auto& job = *static_cast<const BatchNorm<T>*>(context);
  for (int64_t k = 0; k < job.pieces(); ++k) measure_piece<Way>(job, c, k);
  finish_channel<Way>(job, c);
  const int64_t ahead = c + job.threads < job.channels ? job.threads * job.inner : 0;
  for (int64_t run = c; run < job.outer * job.channels; run += job.channels)
    write_run<Way>(job, c, run * job.inner, job.inner, ahead);
  if (job.streamed) settle();
}

// Chunks of one piece, for where there are fewer channels than a team has use for.
template <class Way, class T>
void measured_piece(void* context, int64_t k) {
  const auto& job = *static_cast<const BatchNorm<T>*>(context);
  measure_piece<Way>(job, k / job.pieces(), k % job.pieces());
}

template <class Way, class T>
void finished_channel(void* context, int64_t c) {
  finish_channel<Way>(*static_cast<const BatchNorm<T>*>(context), c);
}

// Chunks of PIECE values as memory lies, the last first: of what was measured last some is in the cache.
template <class Way, class T>
void written_piece(void* context, int64_t k) {
  const auto& job = *static_cast<const BatchNorm<T>*>(context);
  const int64_t values = job.outer * job.channels * job.inner;
  int64_t at = (ceil_of(values, PIECE) - 1 - k) * PIECE;
  for (const int64_t end = least(at + PIECE, values); at < end;) {
    const int64_t run = at / job.inner, until = least((run + 1) * job.inner, end);
    write_run<Way>(job, run % job.channels, at, until - at, 0);
    at = until;
  }
  if (job.streamed) settle();
}

// Channels as columns. A chunk is some strips of rows, or some channels.

constexpr int64_t FINISHED = 64;

template <class T, class See>
TRIMTAB_INLINE void each_of_chunk(const BatchNorm<T>& job, int64_t k, See see) {
  for (int64_t c = k * FINISHED; c < least((k + 1) * FINISHED, job.channels); ++c) see(c);
}

// Calls see(j) for each column that channel c has.
template <class T, class See>
TRIMTAB_INLINE void columns_of(const BatchNorm<T>& job, int64_t c, See see) {
  for (int64_t beside = 0; beside < job.columns.width; beside += job.columns.row)
    for (int64_t j = beside + c * job.inner; j < beside + (c + 1) * job.inner; ++j) see(j);
}

template <class T>
TRIMTAB_INLINE void expand(const BatchNorm<T>& job, int64_t c, Coefficients<wide<T>> by) {
  const int64_t width = job.columns.width;
  columns_of(job, c, [&](int64_t j) {
    wide<T>* to = job.coefficients + j;
    to[0] = by.shift, to[width] = by.a, to[2 * width] = by.b, to[3 * width] = by.c;
  });
}

template <class Way, class T>
void measured_rows(void* context, int64_t k) {
  const auto& job = *static_cast<const BatchNorm<T>*>(context);
  const int64_t width = job.columns.width;
  const Rows<T> rows{job.x + k * job.columns.chunk_rows * width, job.columns.rows_of(k), width};
  double* partial = job.partial + 2 * k * width;
  Way::measure(job, rows, partial, partial + width);
}

template <class Way, class T>
TRIMTAB_INLINE Part together_of_columns(const BatchNorm<T>& job, int64_t c) {
  const Columns& columns = job.columns;
  Part whole{0, 0, 0};
  for (int64_t k = 0; k < columns.chunks(); ++k) {
    const double *means = job.partial + 2 * k * columns.width, *m2s = means + columns.width;
    columns_of(job, c, [&](int64_t j) {
      whole = Way::together(whole, {double(columns.rows_of(k)), means[j], m2s[j]});
    });
  }
  if (!columns.left) return whole;
  const T* left = job.x + columns.rows * columns.width + c * job.inner;
  return Way::together(whole, Way::measure(job, c, Runs<T>{left, columns.left, job.inner, columns.row}));
}

template <class Way, class T>
void finished_columns(void* context, int64_t k) {
  const auto& job = *static_cast<const BatchNorm<T>*>(context);
  each_of_chunk(job, k, [&](int64_t c) { expand(job, c, Way::finish(job, c, together_of_columns<Way>(job, c))); });
}

// `n` columns from `start` on.
template <class Way, class T>
TRIMTAB_INLINE void write_row(const BatchNorm<T>& job, int64_t start, int64_t n) {
  const Way here(job, start);
  const int64_t width = job.columns.width;
  const wide<T> *shift = job.coefficients, *a = shift + width, *b = a + width, *c = b + width;
  each_written_column(job.to + start, n, job.streamed, [=](int64_t j, auto at) __attribute__((always_inline)) {
    here.write(j, at, Coefficients<Values<wide<T>>>{at.get(shift + j), at.get(a + j), at.get(b + j), at.get(c + j)});
  });
}

// The first chunk is the rows that are left over, then comes the last: of what was measured last some is in the cache.
template <class Way, class T>
void written_rows(void* context, int64_t k) {
  const auto& job = *static_cast<const BatchNorm<T>*>(context);
  const Columns& columns = job.columns;
  const int64_t width = columns.width, chunk = columns.chunks() - k, rows = k ? columns.rows_of(chunk) : 0;
  const int64_t start = chunk * columns.chunk_rows * width;
  if (k == 0) write_row<Way>(job, columns.rows * width, columns.left * columns.row);
  for (int64_t row = 0; row < rows; ++row) write_row<Way>(job, start + row * width, width);
  if (job.streamed) settle();
}

// Column by column what x̂ is made with, for the backward pass to measure by.
template <class T>
void expanded_statistics(void* context, int64_t k) {
  const auto& job = *static_cast<const BatchNorm<T>*>(context);
  each_of_chunk(job, k, [&](int64_t c) {
    expand(job, c, {job.shift[c], job.rstd[c], -job.rest[c] * job.rstd[c], 0});
  });
}

// What evaluation writes by.
template <class T>
void expanded_estimates(void* context, int64_t k) {
  const auto& job = *static_cast<const BatchNorm<T>*>(context);
  const bool columns = job.inner < SHORT;
  each_of_chunk(job, k, [&](int64_t c) {
    const double rstd = 1 / __builtin_sqrt(double(job.variance[c]) + job.eps);
    const Coefficients<wide<T>> by{job.shift[c], wide<T>(job.weight[c] * rstd), job.bias[c], 0};
    if (columns)
      expand(job, c, by);
    else
      std::memcpy(job.coefficients + 4 * c, &by, sizeof by);
  });
}

// The whole of it. How many threads there are decides how the work is shared out, and not what comes out.

template <class Way, class T>
void batch_norm(BatchNorm<T>& job, int threads) {
  job.threads = threads;
  const auto run = [&](Body body, int64_t chunks) { run_chunks(body, &job, chunks, threads); };
  const int64_t pieces = job.channels * job.pieces();
  if (job.inner < SHORT) {
    run(measured_rows<Way, T>, job.columns.chunks());
    run(finished_columns<Way, T>, ceil_of(job.channels, FINISHED));
    run(written_rows<Way, T>, job.columns.chunks() + 1);
  } else if (job.channels >= ENOUGH * threads) {
    run(whole_channel<Way, T>, job.channels);
  } else {
    run(measured_piece<Way, T>, pieces);
    run(finished_channel<Way, T>, job.channels);
    run(written_piece<Way, T>, ceil_of(job.outer * job.channels * job.inner, PIECE));
  }
}

template <class T>
void batch_norm_forward(BatchNorm<T> job, int threads) {
  batch_norm<Forward<T>>(job, threads);
}

template <class T>
void batch_norm_backward(BatchNorm<T> job, int threads) {
  if (job.inner < SHORT) run_chunks(expanded_statistics<T>, &job, ceil_of(job.channels, FINISHED), threads);
  batch_norm<Backward<T>>(job, threads);
}

template <class T>
void batch_norm_apply(BatchNorm<T> job, int threads) {
  const auto run = [&](Body body, int64_t chunks) { run_chunks(body, &job, chunks, threads); };
  run(expanded_estimates<T>, ceil_of(job.channels, FINISHED));
  if (job.inner < SHORT)
    run(written_rows<Forward<T>, T>, job.columns.chunks() + 1);
  else
    run(written_piece<Forward<T>, T>, ceil_of(job.outer * job.channels * job.inner, PIECE));
}
