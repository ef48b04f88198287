// Batch normalisation, forward and backward: the chunks of the jobs of batch_norm.cpp.
//
// Either way a chunk is measured, what was measured is put together channel by channel, and the chunk is written. Forward
// and Backward say how: a Part is count, mean and M₂ forward, count, Σ dy and Σ dy x̂ backward.

constexpr int64_t ENOUGH = 4;  // channels for each thread, for a channel to be one thread's work

#include "lanes_loops.h"
#include "parts_loops.h"
#include "columns_loops.h"

// What a value is written with: y = (x − shift) a + b, dx = dy a + (x − shift) b + c.
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
    const int64_t ahead = most(AHEAD, ABREAST * rows.width);
    const A *const shifts = job.coefficients, *const rstds = shifts + rows.width, *const offsets = rstds + rows.width;
    Values<A> sum[Panel<A>::MOST] = {}, product[Panel<A>::MOST] = {};
    each_of_strip(rows, panel, [&](int r, int64_t i, auto n) __attribute__((always_inline)) {
      const int64_t j = panel.start(r);
      const Values<A> shift = lanes<A>(shifts + j), rstd = lanes<A>(rstds + j), offset = lanes<A>(offsets + j);
      Values<A> s{}, p{};
      for (int row = 0; row < n.value; ++row) {
        const int64_t at = i + row * rows.width;
        __builtin_prefetch(rows.x + at + ahead);
        __builtin_prefetch(dy + at + ahead);
        const Values<A> d = lanes<A>(dy + at);
        s += d;
        p += d * ((lanes<A>(rows.x + at) - shift) * rstd + offset);
      }
      sum[r] += s, product[r] += p;
    });
    for (int c = 0; c < panel.registers() * LANES<A>; ++c) {
      sums[c] += sum[c / LANES<A>][c % LANES<A>];
      products[c] += product[c / LANES<A>][c % LANES<A>];
    }
  }

  static TRIMTAB_INLINE Coefficients<A> finish(const Job& job, int64_t c, Part whole) {
    const double rstd = job.rstd[c], a = job.weight[c] * rstd, slope = -a * whole.m2 / job.divisor;
    job.dbias[c] = whole.mean, job.dweight[c] = whole.m2;
    return {job.shift[c], A(a), A(slope * rstd), A(-a * whole.mean / whole.count - slope * rstd * job.rest[c])};
  }

  const T *x, *dy;
  T* to;

  TRIMTAB_INLINE Backward(const Job& job, int64_t start) : x(job.x + start), dy(job.dy + start), to(job.to + start) {}

  template <class V, class At>
  TRIMTAB_INLINE void write(int64_t i, At at, Coefficients<V> by) const {
    at.set(to + i, at.get(dy + i) * by.a + ((at.get(x + i) - by.shift) * by.b + by.c));
  }
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

template <class Way, class T>
TRIMTAB_INLINE void write_piece(const BatchNorm<T>& job, int64_t c, int64_t k) {
  using A = wide<T>;
  const auto by = read<Coefficients<A>>(job.coefficients + 4 * c);
  const Span span = job.piece(c, k);
  for (int64_t run = 0; run < span.count; ++run) {
    const Way here(job, span.start + run * span.stride);
    each_column<A>(0, span.length, [=](int64_t i, auto at) __attribute__((always_inline)) { here.write(i, at, by); });
  }
}

// A chunk of one channel, which is read twice while it is in the cache.
template <class Way, class T>
void whole_channel(void* context, int64_t c) {
  const auto& job = *static_cast<const BatchNorm<T>*>(context);
  for (int64_t k = 0; k < job.pieces(); ++k) measure_piece<Way>(job, c, k);
  finish_channel<Way>(job, c);
  for (int64_t k = 0; k < job.pieces(); ++k) write_piece<Way>(job, c, k);
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

template <class Way, class T>
void written_piece(void* context, int64_t k) {
  const auto& job = *static_cast<const BatchNorm<T>*>(context);
  write_piece<Way>(job, k / job.pieces(), k % job.pieces());
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

template <class Way, class T>
TRIMTAB_INLINE void write_row(const BatchNorm<T>& job, int64_t start, int64_t n) {
  using A = wide<T>;
  const Way here(job, start);
  const A *shift = job.coefficients, *a = shift + job.columns.width, *b = a + job.columns.width,
          *c = b + job.columns.width;
  each_column<A>(0, n, [=](int64_t j, auto at) __attribute__((always_inline)) {
    here.write(j, at, Coefficients<Values<A>>{at.get(shift + j), at.get(a + j), at.get(b + j), at.get(c + j)});
  });
}

// The last chunk is the rows that are left over.
template <class Way, class T>
void written_rows(void* context, int64_t k) {
  const auto& job = *static_cast<const BatchNorm<T>*>(context);
  const Columns& columns = job.columns;
  const int64_t start = k * columns.chunk_rows * columns.width;
  if (k == columns.chunks()) return write_row<Way>(job, columns.rows * columns.width, columns.left * columns.row);
  for (int64_t row = 0; row < columns.rows_of(k); ++row) write_row<Way>(job, start + row * columns.width, columns.width);
}

// Column by column what x̂ is made with, for the backward pass to measure by.
template <class T>
void expanded_statistics(void* context, int64_t k) {
  const auto& job = *static_cast<const BatchNorm<T>*>(context);
  each_of_chunk(job, k, [&](int64_t c) {
    expand(job, c, {job.shift[c], job.rstd[c], -job.rest[c] * job.rstd[c], 0});
  });
}

// γ and κ as they are, for evaluation to write by.
template <class T>
void expanded_parameters(void* context, int64_t k) {
  const auto& job = *static_cast<const BatchNorm<T>*>(context);
  const bool columns = job.inner < SHORT;
  each_of_chunk(job, k, [&](int64_t c) {
    const Coefficients<wide<T>> by{job.shift[c], job.weight[c], job.bias[c], 0};
    if (columns)
      expand(job, c, by);
    else
      std::memcpy(job.coefficients + 4 * c, &by, sizeof by);
  });
}

// The whole of it. How many threads there are decides how the work is shared out, and not what comes out.

template <class Way, class T>
void batch_norm(BatchNorm<T>& job, int threads) {
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
    run(written_piece<Way, T>, pieces);
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
  run(expanded_parameters<T>, ceil_of(job.channels, FINISHED));
  if (job.inner < SHORT)
    run(written_rows<Forward<T>, T>, job.columns.chunks() + 1);
  else
    run(written_piece<Forward<T>, T>, job.channels * job.pieces());
}
