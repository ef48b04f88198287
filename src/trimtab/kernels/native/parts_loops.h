// Count, mean and sum of squared deviations of values that lie in runs, so that parts can be merged.

constexpr int64_t BLOCK = 64 * REGISTER_BYTES;  // values of a part: 64 terms in each of the lanes that `deviations` has

// `count` runs of `length` values, `stride` values from the start of one to that of the next.
template <class T>
struct Runs {
  const T* x;
  int64_t count, length, stride;

  TRIMTAB_INLINE int64_t size() const { return count * length; }
};

// Mean and M₂ = Σ (xᵢ − mean)² of `count` values.
struct Part {
  double count, mean, m2;
};

TRIMTAB_INLINE Part merge(Part a, Part b) {
  if (a.count == 0) return b;
  if (b.count == 0) return a;
  const double delta = b.mean - a.mean, share = b.count / (a.count + b.count);
  return {a.count + b.count, a.mean + delta * share, a.m2 + b.m2 + delta * delta * share * a.count};
}

// Calls see(k, values) with LANES<A> values at a time; where fewer are left at the end of a run, the other lanes hold `rest`.
template <class A, class T, class See>
TRIMTAB_INLINE void each_register(Runs<T> runs, A rest, See see) {
  for (int64_t run = 0; run < runs.count; ++run) {
    const T* x = runs.x + run * runs.stride;
    int64_t i = 0;
    for (; i + 4 * LANES<A> <= runs.length; i += 4 * LANES<A>) {
      if (runs.stride)  // the processor's own prefetching follows a run, and does not know of the next one
        for (int k = 0; k < 4; ++k) __builtin_prefetch(x + runs.stride + i + k * LANES<A>);
      see(0, lanes<A>(x + i));
      see(1, lanes<A>(x + i + LANES<A>));
      see(2, lanes<A>(x + i + 2 * LANES<A>));
      see(3, lanes<A>(x + i + 3 * LANES<A>));
    }
    for (; i + LANES<A> <= runs.length; i += LANES<A>) see(0, lanes<A>(x + i));
    if (i < runs.length) see(0, first_lanes<A>(x + i, runs.length - i, rest));
  }
}

// Σ (xᵢ − shift) and Σ (xᵢ − shift)².
struct Deviations {
  double sum, square;
};

template <class A, class T>
TRIMTAB_INLINE Deviations deviations(Runs<T> runs, A shift) {
  Values<A> sum[4] = {}, square[4] = {};
  each_register<A>(runs, shift, [&](int k, Values<A> x) __attribute__((always_inline)) {
    const Values<A> d = x - shift;
    sum[k] += d;
    square[k] += d * d;
  });
  return {total<A>((sum[0] + sum[1]) + (sum[2] + sum[3])),
          total<A>((square[0] + square[1]) + (square[2] + square[3]))};
}

// A first guess at the mean: a few values, so added that equal ones have themselves for mean.
template <class T>
TRIMTAB_INLINE wide<T> guess(Runs<T> runs) {
  const T* x = runs.x;
  if (runs.length < 8) return load(x[0]);
  const auto sum = ((load(x[0]) + load(x[1])) + (load(x[2]) + load(x[3]))) +
                   ((load(x[4]) + load(x[5])) + (load(x[6]) + load(x[7])));
  return sum / 8;
}

// Whether sums that were taken around a guess lost nothing: the guess was within four standard deviations of the mean,
// and no square overflowed or fell below what the type holds. Both sums are 0 where all values are equal.
template <class A>
TRIMTAB_INLINE bool are_good(Deviations d, double m2, double n) {
  constexpr bool narrow = sizeof(A) == sizeof(float);
  if (d.sum == 0 && d.square == 0) return true;
  return m2 > (narrow ? 1e-25 : 1e-280) * n && m2 < (narrow ? 1e37 : 1e300) && d.sum * d.sum <= 16 * n * m2;
}

template <class T>
TRIMTAB_INLINE Part centred(Runs<T> runs, double shift) {
  const Deviations d = deviations<double>(runs, shift);
  const double n = runs.size();
  return {n, shift + d.sum / n, d.square - d.sum * d.sum / n};
}

// Two passes in float64.
template <class T>
__attribute__((noinline)) Part exact_part(Runs<T> runs) {
  return centred(runs, deviations<double>(runs, 0.0).sum / runs.size());
}

// The part that about BLOCK values are, in one pass where a guess at their mean is good enough, in two where the mean
// of the first pass is.
template <class T>
TRIMTAB_INLINE Part part(Runs<T> runs) {
  const double n = runs.size();
  wide<T> shift = guess(runs);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Deviations d = deviations<wide<T>>(runs, shift);
    const double m2 = d.square - d.sum * d.sum / n;
    if (are_good<wide<T>>(d, m2, n)) return {n, shift + d.sum / n, m2};
    shift += static_cast<wide<T>>(d.sum / n);
  }
  return exact_part(runs);
}

// Calls see(runs) with pieces of about `block` values, in order.
template <class T, class See>
TRIMTAB_INLINE void each_block(Runs<T> runs, int64_t block, See see) {
  if (runs.length >= block) {
    for (int64_t run = 0; run < runs.count; ++run)
      for (int64_t i = 0; i < runs.length; i += block)
        see(Runs<T>{runs.x + run * runs.stride + i, 1, least(block, runs.length - i), runs.stride});
    return;
  }
  const int64_t step = block / runs.length;
  for (int64_t run = 0; run < runs.count; run += step)
    see(Runs<T>{runs.x + run * runs.stride, least(step, runs.count - run), runs.length, runs.stride});
}

template <class T>
TRIMTAB_INLINE Part part_of_all(Runs<T> runs) {
  Part whole{0, 0, 0};
  each_block(runs, BLOCK, [&](Runs<T> block) { whole = merge(whole, part(block)); });
  return whole;
}
