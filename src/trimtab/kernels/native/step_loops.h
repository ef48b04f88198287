// The loops of step.cpp; see every_isa.h. What is read and written is compiled in, the rest is chosen by coefficients.

// a + gain (x − a) where the gain is less than a half, else from the other end: exactly x at gain = 1.
template <class S>
TRIMTAB_INLINE S moved(S a, S x, S gain, Mask<S> near) {
  return chosen(near, a, x) + chosen(near, gain, gain - 1) * (x - a);
}

// NaN compares false and stays.
template <class S>
TRIMTAB_INLINE S bounded(S x, S bound) {
  x = x > bound ? bound : x;
  return x < -bound ? -bound : x;
}

template <class S>
struct Streams {
  S* param;
  const S* grad;
  S *velocity, *square, *third, *average;
};

template <class S, bool HAS_VELOCITY, bool HAS_SCALE, Third THIRD, bool OF_SCALED, bool HAS_AVERAGE>
void descend(const Coefficients<S>& given, const Streams<S>& at, int64_t n) {
  const Coefficients<S> c = given;  // a copy that no store can reach stays in registers
  S* __restrict w = at.param;
  const S* __restrict g = at.grad;
  S* __restrict v = at.velocity;
  S* __restrict s = at.square;
  S* __restrict third = at.third;
  S* __restrict a = at.average;
  for (int64_t i = 0; i < n; ++i) {
    S x = bounded(g[i] * c.factor, c.bound);
    x = chosen(c.decays, x + c.coupled_decay * w[i], x);
    S root = 1;
    if constexpr (HAS_SCALE) {
      S q = c.beta2 * s[i] + c.rest2 * x * x;
      s[i] = q;
      if constexpr (THIRD == Third::largest) third[i] = q = third[i] >= q ? third[i] : q;
      q *= c.per_weight;
      if constexpr (THIRD == Third::mean) {
        const S mean = third[i] = moved(third[i], x, c.rest2, c.rest2_near);
        q -= (mean * c.per_weight) * (mean * c.per_weight);
        q = q < 0 ? S(0) : q;  // rounding may bring it below where the gradient hardly changes
      }
      root = std::sqrt(q + c.eps_inside) * c.per_root + c.eps_outside;
      if constexpr (OF_SCALED) x /= root;
    }
    if constexpr (HAS_VELOCITY) {
      const S now = chosen(c.is_ema, moved(v[i], x, c.ema1, c.ema1_near), c.keep * v[i] + c.enter * x);
      v[i] = now;
      x = chosen(c.nesterov, c.ahead_v * now + c.ahead_x * x, now);
    }
    const S change = HAS_SCALE && !OF_SCALED ? c.size * x / root : c.size * x;
    const S moved_to = w[i] * c.shrink - change;
    w[i] = moved_to;
    if constexpr (HAS_AVERAGE) a[i] = moved(a[i], moved_to, c.gain, c.gain_near);
  }
}

template <class S>
using Descend = void (*)(const Coefficients<S>&, const Streams<S>&, int64_t);

template <class S, bool HAS_VELOCITY, bool HAS_AVERAGE>
Descend<S> with_scale(const Settings& o) {
  if (!o.has(SQUARE)) return descend<S, HAS_VELOCITY, false, Third::none, false, HAS_AVERAGE>;
  constexpr bool OF_SCALED = HAS_VELOCITY;  // without a velocity there is nothing to accumulate
  const bool of_scaled = OF_SCALED && o.of_scaled;
  switch (o.third) {
    case Third::mean:
      return of_scaled ? descend<S, HAS_VELOCITY, true, Third::mean, OF_SCALED, HAS_AVERAGE>
                       : descend<S, HAS_VELOCITY, true, Third::mean, false, HAS_AVERAGE>;
    case Third::largest:
      return of_scaled ? descend<S, HAS_VELOCITY, true, Third::largest, OF_SCALED, HAS_AVERAGE>
                       : descend<S, HAS_VELOCITY, true, Third::largest, false, HAS_AVERAGE>;
    default:
      return of_scaled ? descend<S, HAS_VELOCITY, true, Third::none, OF_SCALED, HAS_AVERAGE>
                       : descend<S, HAS_VELOCITY, true, Third::none, false, HAS_AVERAGE>;
  }
}

template <class S>
Descend<S> descent_of(const Settings& o, bool average) {
  if (!o.has(VELOCITY)) return average ? with_scale<S, false, true>(o) : with_scale<S, false, false>(o);
  return average ? with_scale<S, true, true>(o) : with_scale<S, true, false>(o);
}

// A format shorter than float32 goes through buffers that stay in the first-level cache.
template <class P>
void descend_short(const StepJob& job, const Coefficients<float>& c, P* param, const P* grad, Streams<float> at,
                   int64_t n) {
  constexpr int64_t TILE = 1024;
  alignas(64) float w[TILE], g[TILE];
  const Descend<float> descend = descent_of<float>(job.settings, false);
  at.param = w, at.grad = g;
  const auto advance = [](float*& place, int64_t m) { place += place ? m : 0; };
  for (int64_t begin = 0; begin < n; begin += TILE) {
    const int64_t m = std::min(TILE, n - begin);
    for (int64_t i = 0; i < m; ++i) w[i] = load(param[begin + i]);
    for (int64_t i = 0; i < m; ++i) g[i] = load(grad[begin + i]);
    descend(c, at, m);
    for (int64_t i = 0; i < m; ++i) store(param[begin + i], w[i]);
    // The average is of the weights as they are kept, rounded.
    if (job.settings.has(AVERAGE))
      for (int64_t i = 0; i < m; ++i) at.average[i] = moved(at.average[i], load(param[begin + i]), c.gain, c.gain_near);
    advance(at.velocity, m), advance(at.square, m), advance(at.third, m), advance(at.average, m);
  }
}

template <class P>
void step_piece(const StepJob& job, const Coefficients<wide<P>>& c, int64_t k, int64_t begin, int64_t n) {
  using S = wide<P>;
  const auto place = [&](Stream stream) { return job.settings.has(stream) ? job.at<S>(stream, k) + begin : nullptr; };
  P* param = job.at<P>(PARAM, k) + begin;
  const P* grad = job.at<const P>(GRAD, k) + begin;
  S *const velocity = place(VELOCITY), *const square = place(SQUARE), *const third = place(THIRD),
          *const average = place(AVERAGE);
  if constexpr (std::is_same<P, S>::value)
    descent_of<S>(job.settings, average != nullptr)(c, {param, grad, velocity, square, third, average}, n);
  else
    descend_short(job, c, param, grad, {nullptr, nullptr, velocity, square, third, average}, n);
}

template <class P>
void step_chunk(void* context, int64_t chunk) {
  const auto& job = *static_cast<const StepJob*>(context);
  Coefficients<wide<P>> c;
  int64_t known = -1;
  each_piece(job.table, chunk, [&](int64_t k, int64_t begin, int64_t n) {
    if (known < 0 || !alike(job, known, k)) c = rounded<wide<P>>(coefficients(job, k));
    known = k;
    step_piece<P>(job, c, k, begin, n);
  });
}
