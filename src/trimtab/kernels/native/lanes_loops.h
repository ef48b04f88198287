// Numbers a register at a time, in the type that they are computed in. Part of files of loops: see every_isa.h.

TRIMTAB_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

TRIMTAB_INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

template <class A>
constexpr int LANES = REGISTER_BYTES / sizeof(A);

template <class A>
struct Lane;

template <>
struct Lane<float> {
  typedef float values __attribute__((vector_size(REGISTER_BYTES)));
  typedef int32_t integers __attribute__((vector_size(REGISTER_BYTES)));
  typedef uint32_t bits __attribute__((vector_size(REGISTER_BYTES)));
  typedef uint16_t halves __attribute__((vector_size(REGISTER_BYTES / 2)));
};

template <>
struct Lane<double> {
  typedef double values __attribute__((vector_size(REGISTER_BYTES)));
  typedef int64_t integers __attribute__((vector_size(REGISTER_BYTES)));
  typedef float floats __attribute__((vector_size(REGISTER_BYTES / 2)));
};

template <class A>
using Values = typename Lane<A>::values;
template <class A>
using Integers = typename Lane<A>::integers;
using Bits = Lane<float>::bits;

template <class To, class From>
TRIMTAB_INLINE To same_bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

template <class To>
TRIMTAB_INLINE To read(const void* at) {
  To to;
  std::memcpy(&to, at, sizeof to);
  return to;
}

template <class A>
TRIMTAB_INLINE Values<A> all(A value) {
  return value - Values<A>{};
}

// LANES<A> numbers from x on. The vector forms of `load` and `store` of number.h.
template <class A, class T>
struct Lanes {
  static TRIMTAB_INLINE Values<A> load(const T* x) {
    A values[LANES<A>];
    for (int lane = 0; lane < LANES<A>; ++lane) values[lane] = ::trimtab::load(x[lane]);
    return read<Values<A>>(values);
  }
};

template <class A>
struct Lanes<A, A> {
  static TRIMTAB_INLINE Values<A> load(const A* x) { return read<Values<A>>(x); }
  static TRIMTAB_INLINE void store(A* to, Values<A> x) { std::memcpy(to, &x, sizeof x); }
};

template <>
struct Lanes<double, float> {
  static TRIMTAB_INLINE Values<double> load(const float* x) {
    return __builtin_convertvector(read<Lane<double>::floats>(x), Values<double>);
  }
};

template <>
struct Lanes<double, InFloat64<float>> {
  static TRIMTAB_INLINE Values<double> load(const InFloat64<float>* x) { return Lanes<double, float>::load(&x->value); }
};

template <>
struct Lanes<float, bfloat16> {
  static TRIMTAB_INLINE Values<float> load(const bfloat16* x) {
    return same_bits<Values<float>>(__builtin_convertvector(read<Lane<float>::halves>(x), Bits) << 16);
  }
  static TRIMTAB_INLINE void store(bfloat16* to, Values<float> x) {
    const Bits bits = same_bits<Bits>(x);
    const Bits rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const Bits rest = (bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16) | 0x40u : rounded;
    const auto halves = __builtin_convertvector(rest, Lane<float>::halves);
    std::memcpy(to, &halves, sizeof halves);
  }
};

template <>
struct Lanes<float, float16> {
  static TRIMTAB_INLINE Values<float> load(const float16* x) {
    const Bits wide = __builtin_convertvector(read<Lane<float>::halves>(x), Bits);
    const Bits magnitude = (wide & 0x7fffu) << 13;
    const Bits finite = same_bits<Bits>(same_bits<Values<float>>(magnitude) * 0x1p112f);
    const Bits value = magnitude >= 0x0f800000u ? magnitude | 0x7f800000u : finite;
    return same_bits<Values<float>>(((wide & 0x8000u) << 16) | value);
  }
  static TRIMTAB_INLINE void store(float16* to, Values<float> x) {
    const Bits bits = same_bits<Bits>(x);
    const Bits magnitude = bits & 0x7fffffffu;
    const Bits small = same_bits<Bits>(same_bits<Values<float>>(magnitude) + 0.5f) - 0x3f000000u;
    const Bits normal = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
    const Bits finite = magnitude < 0x38800000u ? small : normal;
    const Bits special = magnitude > 0x7f800000u ? Bits{} + 0x7e00u : Bits{} + 0x7c00u;
    const Bits rest = ((bits >> 16) & 0x8000u) | (magnitude >= 0x477ff000u ? special : finite);
    const auto halves = __builtin_convertvector(rest, Lane<float>::halves);
    std::memcpy(to, &halves, sizeof halves);
  }
};

template <class A, class T>
TRIMTAB_INLINE Values<A> lanes(const T* x) {
  return Lanes<A, T>::load(x);
}

template <class T>
TRIMTAB_INLINE void put(T* to, Values<wide<T>> x) {
  Lanes<wide<T>, T>::store(to, x);
}

// Past the caches, to an address that is a multiple of the size of what is stored: see `settle`.
template <class T>
TRIMTAB_INLINE void stream(T* to, Values<wide<T>> x) {
  T values[LANES<wide<T>>];
  put(values, x);
#if defined(__x86_64__)
  if constexpr (sizeof values == 64)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), read<__m512i>(values));
  else if constexpr (sizeof values == 32)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to), read<__m256i>(values));
  else if constexpr (sizeof values == 16)
    _mm_stream_si128(reinterpret_cast<__m128i*>(to), read<__m128i>(values));
  else
    _mm_stream_si64(reinterpret_cast<long long*>(to), read<long long>(values));
#else
  put(to, x);
#endif
}

// What was streamed so far can be read by other threads.
TRIMTAB_INLINE void settle() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

// Fewer than LANES<A> numbers; the other lanes hold `rest`.
template <class A, class T>
TRIMTAB_INLINE Values<A> first_lanes(const T* x, int64_t n, A rest) {
  A values[LANES<A>];
  for (int lane = 0; lane < LANES<A>; ++lane) values[lane] = rest;
  for (int lane = 0; lane < n; ++lane) values[lane] = ::trimtab::load(x[lane]);
  return read<Values<A>>(values);
}

template <class T>
TRIMTAB_INLINE void put_first(T* to, int64_t n, Values<wide<T>> x) {
  wide<T> values[LANES<wide<T>>];
  std::memcpy(values, &x, sizeof x);
  for (int lane = 0; lane < n; ++lane) ::trimtab::store(to[lane], values[lane]);
}

// Pairwise, in float64.
template <class A>
TRIMTAB_INLINE double total(Values<A> x) {
  double sums[LANES<A>];
  for (int lane = 0; lane < LANES<A>; ++lane) sums[lane] = x[lane];
  for (int half = LANES<A> / 2; half; half /= 2)
    for (int lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  return sums[0];
}

// Some columns of a row: a whole register of them, or what is left at the end.
struct WholeRegister {
  template <class T>
  TRIMTAB_INLINE Values<wide<T>> get(const T* x) const {
    return lanes<wide<T>>(x);
  }
  template <class T>
  TRIMTAB_INLINE void set(T* to, Values<wide<T>> x) const {
    put(to, x);
  }
};

struct StreamedRegister : WholeRegister {
  template <class T>
  TRIMTAB_INLINE void set(T* to, Values<wide<T>> x) const {
    stream(to, x);
  }
};

struct PartOfRegister {
  int64_t n;

  template <class T>
  TRIMTAB_INLINE Values<wide<T>> get(const T* x) const {
    return first_lanes<wide<T>>(x, n, wide<T>{0});
  }
  template <class T>
  TRIMTAB_INLINE void set(T* to, Values<wide<T>> x) const {
    put_first(to, n, x);
  }
};

// Calls see(j, at) for the columns from `from` to `to`: at.get(x + j) reads some of them, at.set(x + j, …) writes them,
// and the lanes that are none hold 0.
template <class A, class See>
TRIMTAB_INLINE void each_column(int64_t from, int64_t to, See see) {
  int64_t j = from;
  for (; j + LANES<A> <= to; j += LANES<A>) see(j, WholeRegister{});
  if (j < to) see(j, PartOfRegister{to - j});
}

// The same for columns that are written to `result`, which is streamed: up to where that can be done, a part of a register.
template <class T, class See>
TRIMTAB_INLINE void each_streamed_column(const T* result, int64_t n, See see) {
  constexpr int64_t L = LANES<wide<T>>;
  const auto place = reinterpret_cast<uintptr_t>(result) / sizeof(T);
  int64_t j = least(-place & (L - 1), n);
  if (j) see(0, PartOfRegister{j});
  for (; j + L <= n; j += L) see(j, StreamedRegister{});
  if (j < n) see(j, PartOfRegister{n - j});
}

template <class T, class See>
TRIMTAB_INLINE void each_written_column(const T* result, int64_t n, bool streamed, See see) {
  if (streamed)
    each_streamed_column(result, n, see);
  else
    each_column<wide<T>>(0, n, see);
}
