// The eight numbers of each channel of an array [outer, channels, inner]: see moments.cpp.

#include "lanes_loops.h"
#include "parts_loops.h"
#include "columns_loops.h"

// What is known of some values: the eight numbers. Those that are not finite are counted and otherwise left out.
struct Tally {
  Part part{0, 0, 0};
  double smallest = INFINITY, largest = -INFINITY, zeros = 0, nonfinite = 0, saturated = 0;
};

TRIMTAB_INLINE Tally merge(const Tally& a, const Tally& b) {
  return {merge(a.part, b.part),
          b.smallest < a.smallest ? b.smallest : a.smallest,
          b.largest > a.largest ? b.largest : a.largest,
          a.zeros + b.zeros,
          a.nonfinite + b.nonfinite,
          a.saturated + b.saturated};
}

// Tallies are merged around the mean of the first: thousands of means that are near one another would each be rounded to
// the last place of the whole.
struct Merger {
  Tally whole;
  double origin = 0;

  TRIMTAB_INLINE void add(Tally tally) {
    if (whole.part.count == 0) origin = tally.part.mean;
    tally.part.mean -= origin;
    whole = merge(whole, tally);
  }

  TRIMTAB_INLINE Tally result() const {
    Tally tally = whole;
    if (tally.part.count) tally.part.mean += origin;
    return tally;
  }
};

template <class A>
TRIMTAB_INLINE int64_t count(Integers<A> yes) {  // lanes of a comparison count −1 each
  int64_t sum = 0;
  for (int lane = 0; lane < LANES<A>; ++lane) sum -= yes[lane];
  return sum;
}

// Value after value, in float64: for blocks with values that are not finite, or that a guess at the mean did not suit.
template <class T>
__attribute__((noinline)) Tally exact_tally(Runs<T> runs, double limit) {
  Tally tally;
  double sum = 0, square = 0;
  const auto each = [&](auto see) {
    for (int64_t run = 0; run < runs.count; ++run)
      for (int64_t i = 0; i < runs.length; ++i) {
        const double x = load(runs.x[run * runs.stride + i]);
        if (x - x == 0) see(x);
      }
  };
  each([&](double x) {
    sum += x, tally.part.count += 1, tally.zeros += x == 0, tally.saturated += __builtin_fabs(x) >= limit;
    if (x < tally.smallest) tally.smallest = x;
    if (x > tally.largest) tally.largest = x;
  });
  const double n = tally.part.count;
  tally.nonfinite = runs.size() - n;
  if (n == 0) return tally;
  const double shift = sum / n;
  sum = 0;
  each([&](double x) { sum += x - shift, square += (x - shift) * (x - shift); });
  tally.part.mean = shift + sum / n;
  tally.part.m2 = square - sum * sum / n;
  return tally;
}

// The smallest of the narrower numbers that is not below x.
template <class A>
TRIMTAB_INLINE A at_least(double x) {
  const A near = static_cast<A>(x);
  return near < x ? static_cast<A>(__builtin_nextafterf(near, INFINITY)) : near;  // float64 is never below itself
}

// What LANES<A> sums and extremes at a time come to.
template <class A>
struct Tallies {
  Values<A> sum[4] = {}, square[4] = {}, smallest[2], largest[2];
  Integers<A> zeros[2] = {}, saturated[2] = {};
};

template <class T>
TRIMTAB_INLINE Tallies<wide<T>> tallies(Runs<T> runs, wide<T> shift, wide<T> limit) {
  using A = wide<T>;
  Tallies<A> t;
  for (int k = 0; k < 2; ++k) t.smallest[k] = t.largest[k] = all<A>(shift);
  each_register<A>(runs, shift, [&](int k, Values<A> x) __attribute__((always_inline)) {
    const Values<A> d = x - shift;
    t.sum[k] += d;
    t.square[k] += d * d;
    k %= 2;
    t.smallest[k] = x < t.smallest[k] ? x : t.smallest[k];
    t.largest[k] = x > t.largest[k] ? x : t.largest[k];
    t.zeros[k] += x == A{0};
    t.saturated[k] += (x >= limit) | (x <= -limit);
  });
  return t;
}

// Lanes at the ends of runs, beyond the last value: they held `shift`.
template <class A, class T>
TRIMTAB_INLINE int64_t idle_lanes(Runs<T> runs) {
  return (-runs.length & (LANES<A> - 1)) * runs.count;
}

template <class A>
TRIMTAB_INLINE Tally finished(const Tallies<A>& t, Part part, int64_t idle, A shift, A limit) {
  Tally tally{part};
  tally.smallest = tally.largest = shift;
  for (int k = 0; k < 2; ++k)
    for (int lane = 0; lane < LANES<A>; ++lane) {
      tally.smallest = t.smallest[k][lane] < tally.smallest ? t.smallest[k][lane] : tally.smallest;
      tally.largest = t.largest[k][lane] > tally.largest ? t.largest[k][lane] : tally.largest;
    }
  tally.zeros = count<A>(t.zeros[0] + t.zeros[1]) - (shift == 0 ? idle : 0);
  tally.saturated = count<A>(t.saturated[0] + t.saturated[1]) - (shift >= limit || shift <= -limit ? idle : 0);
  return tally;
}

// In one pass where a guess at the mean is good enough. Values that are not finite show in the sums.
template <class T>
TRIMTAB_INLINE Tally tally(Runs<T> runs, double limit_) {
  using A = wide<T>;
  const double n = runs.size();
  const A limit = at_least<A>(limit_);
  A shift = guess(runs);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Tallies<A> t = tallies(runs, shift, limit);
    const Deviations d{total<A>((t.sum[0] + t.sum[1]) + (t.sum[2] + t.sum[3])),
                       total<A>((t.square[0] + t.square[1]) + (t.square[2] + t.square[3]))};
    const double m2 = d.square - d.sum * d.sum / n, mean = shift + d.sum / n;
    if (are_good<A>(d, m2, n)) return finished(t, {n, mean, m2}, idle_lanes<A>(runs), shift, limit);
    shift = static_cast<A>(mean);
  }
  return exact_tally(runs, limit_);
}

template <class T>
TRIMTAB_INLINE Tally tally_of_all(Runs<T> runs, double limit) {
  Merger merger;
  each_block(runs, BLOCK, [&](Runs<T> block) { merger.add(tally(block, limit)); });
  return merger.result();
}

// Of a panel of columns: what the strips so far come to.
template <class T>
struct ColumnTallies {
  using A = wide<T>;
  static constexpr int L = LANES<A>, MOST = Panel<A>::MOST;
  Panel<A> panel;
  ColumnParts<A> parts[MOST];     // around `origin`, as in a Merger
  double origin[MOST * L] = {};
  Values<A> smallest[MOST], largest[MOST];
  double zeros[MOST * L] = {}, saturated[MOST * L] = {};
  Tally exact[MOST * L];  // of strips that are not in the others

  explicit TRIMTAB_INLINE ColumnTallies(Panel<A> panel_) : panel(panel_) {
    for (int r = 0; r < MOST; ++r) smallest[r] = all<A>(INFINITY), largest[r] = all<A>(-INFINITY);
  }

  TRIMTAB_INLINE void add(Rows<T> rows, double limit_) {
    const A limit = at_least<A>(limit_);
    StripSums<A> sums;
    Values<A> low[MOST], high[MOST];
    Integers<A> zero[MOST], beyond[MOST];
    sums.begin(rows, panel);
    for (int r = 0; r < panel.registers(); ++r) {
      low[r] = all<A>(INFINITY), high[r] = all<A>(-INFINITY);
      zero[r] = beyond[r] = Integers<A>{};
    }
    each_of_strip<BESIDE / 2>(rows, panel, [&](int64_t row, int r, auto n, auto m) __attribute__((always_inline)) {
      Values<A> shift[m.value], sum[m.value] = {}, square[m.value] = {};
      for (int k = 0; k < m.value; ++k) shift[k] = sums.shift[r + k];
      for (int i = 0; i < n.value; ++i)
        for (int k = 0; k < m.value; ++k) {
          const Values<A> x = lanes<A>(rows.x + (row + i) * rows.width + panel.start(r + k)), d = x - shift[k];
          sum[k] += d;
          square[k] += d * d;
          low[r + k] = x < low[r + k] ? x : low[r + k];
          high[r + k] = x > high[r + k] ? x : high[r + k];
          zero[r + k] += x == A{0};
          beyond[r + k] += (x >= limit) | (x <= -limit);
        }
      for (int k = 0; k < m.value; ++k) sums.sum[r + k] += sum[k], sums.square[r + k] += square[k];
    });
    for (int r = 0; r < panel.registers(); ++r) {
      ColumnParts<A> strip = sums.parts(r, rows.count);
      for (int lane = 0; lane < L; ++lane)
        if (strip.m2[lane] != strip.m2[lane]) {
          Tally& apart = exact[r * L + lane];
          apart = merge(apart, exact_tally(rows.column(panel.start(r) + lane), limit_));
          strip.count[lane] = strip.mean[lane] = strip.m2[lane] = 0;
          low[r][lane] = INFINITY, high[r][lane] = -INFINITY;
          zero[r][lane] = beyond[r][lane] = 0;
        }
      for (int lane = 0; lane < L; ++lane) {
        if (parts[r].count[lane] == 0) origin[r * L + lane] = strip.mean[lane];
        strip.mean[lane] -= origin[r * L + lane];
      }
      parts[r].merge(strip);
      smallest[r] = low[r] < smallest[r] ? low[r] : smallest[r];
      largest[r] = high[r] > largest[r] ? high[r] : largest[r];
      for (int lane = 0; lane < L; ++lane)
        zeros[r * L + lane] -= zero[r][lane], saturated[r * L + lane] -= beyond[r][lane];
    }
  }

  TRIMTAB_INLINE Tally column(int r, int lane) const {
    const Tally fast{{parts[r].count[lane], parts[r].mean[lane] + origin[r * L + lane], parts[r].m2[lane]},
                     smallest[r][lane], largest[r][lane], zeros[r * L + lane], 0, saturated[r * L + lane]};
    return merge(fast, exact[r * L + lane]);
  }
};

template <class T>
void planes_piece(void* context, int64_t k) {
  const auto& job = *static_cast<const Moments<T>*>(context);
  const Span span = job.piece(k / job.pieces(), k % job.pieces());
  const Tally tally = tally_of_all(Runs<T>{job.x + span.start, span.count, span.length, span.stride}, job.limit);
  std::memcpy(job.partial + 8 * k, &tally, sizeof tally);
}

template <class T>
void columns_chunk(void* context, int64_t k) {
  const auto& job = *static_cast<const Moments<T>*>(context);
  const int64_t width = job.columns.width;
  const Rows<T> rows{job.x + k * job.columns.chunk_rows * width, job.columns.rows_of(k), width};
  double* partial = job.partial + 8 * k * width;
  each_panel<wide<T>>(width, [&](Panel<wide<T>> panel) {
    ColumnTallies<T> tallies(panel);
    for (int64_t row = 0; row < rows.count; row += STRIP) tallies.add(rows.strip(row), job.limit);
    for (int r = 0; r < panel.registers(); ++r)
      for (int lane = 0; lane < LANES<wide<T>>; ++lane) {
        const Tally tally = tallies.column(r, lane);
        std::memcpy(partial + 8 * (panel.start(r) + lane), &tally, sizeof tally);
      }
  });
}

// Puts together what there is of a channel: of its pieces or, chunk by chunk, of its columns.
template <class T>
TRIMTAB_INLINE Tally together(const Moments<T>& job, int64_t c) {
  Merger merger;
  const auto add = [&](int64_t k) { merger.add(read<Tally>(job.partial + 8 * k)); };
  if (job.inner >= SHORT) {
    for (int64_t k = 0; k < job.pieces(); ++k) add(c * job.pieces() + k);
    return merger.result();
  }
  const Columns& columns = job.columns;
  for (int64_t k = 0; k < columns.chunks(); ++k)
    for (int64_t beside = 0; beside < columns.width; beside += columns.row)
      for (int64_t j = 0; j < job.inner; ++j) add(k * columns.width + beside + c * job.inner + j);
  const T* left = job.x + columns.rows * columns.width + c * job.inner;
  if (columns.left) merger.add(exact_tally(Runs<T>{left, columns.left, job.inner, columns.row}, job.limit));
  return merger.result();
}

constexpr int64_t FINISHED = 64;  // channels of a chunk

template <class T>
void finished_channels(void* context, int64_t k) {
  const auto& job = *static_cast<const Moments<T>*>(context);
  for (int64_t c = k * FINISHED; c < least((k + 1) * FINISHED, job.channels); ++c) {
    double numbers[8];
    const Tally tally = together(job, c);
    std::memcpy(numbers, &tally, sizeof tally);
    for (int i = 0; i < 8; ++i) job.to[i * job.channels + c] = numbers[i];
  }
}

template <class T>
void moments(Moments<T> job, int threads) {
  const auto run = [&](Body body, int64_t chunks) { run_chunks(body, &job, chunks, threads); };
  if (job.inner < SHORT)
    run(columns_chunk<T>, job.columns.chunks());
  else
    run(planes_piece<T>, job.channels * job.pieces());
  run(finished_channels<T>, ceil_of(job.channels, FINISHED));
}
