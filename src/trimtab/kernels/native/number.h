// The number formats that tensors hold, and the one that each is computed in.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#define TRIMTAB_INLINE inline __attribute__((always_inline))

namespace trimtab {

// The codes that the Python side passes.
enum class Dtype : int32_t { float32 = 0, float64 = 1, bfloat16 = 2, float16 = 3 };

struct bfloat16 {
  uint16_t bits;
};

struct float16 {
  uint16_t bits;
};

// A number of a shorter format that is computed with in float64: where a kernel's sums are wanted to more digits.
template <class T>
struct InFloat64 {
  T value;
};

// float32 for all but float64.
template <class T>
struct Wide {
  using type = float;
};
template <>
struct Wide<double> {
  using type = double;
};
template <class T>
struct Wide<InFloat64<T>> {
  using type = double;
};
template <class T>
using wide = typename Wide<T>::type;

// All bits, or none.
template <class S>
using Mask = std::conditional_t<std::is_same<S, double>::value, uint64_t, uint32_t>;

template <class S>
TRIMTAB_INLINE S chosen(Mask<S> mask, S yes, S no) {
  Mask<S> y, n;
  std::memcpy(&y, &yes, sizeof y);
  std::memcpy(&n, &no, sizeof n);
  y = (y & mask) | (n & ~mask);
  std::memcpy(&yes, &y, sizeof y);
  return yes;
}

TRIMTAB_INLINE float float_of_bits(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

TRIMTAB_INLINE uint32_t bits_of_float(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

TRIMTAB_INLINE float load(float x) { return x; }
TRIMTAB_INLINE double load(double x) { return x; }
TRIMTAB_INLINE float load(bfloat16 x) { return float_of_bits(static_cast<uint32_t>(x.bits) << 16); }

// The exponent is moved to float32's place and scaled by the difference of the biases, 112, which is right for
// subnormals, too. Without branches, so that it is vectorised where there is no F16C as well.
TRIMTAB_INLINE float load(float16 x) {
  const uint32_t magnitude = static_cast<uint32_t>(x.bits & 0x7fffu) << 13;
  const uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000u) << 16;
  const uint32_t finite = bits_of_float(float_of_bits(magnitude) * 0x1p112f);
  return float_of_bits(sign | (magnitude >= 0x0f800000u ? magnitude | 0x7f800000u : finite));
}

template <class T>
TRIMTAB_INLINE double load(InFloat64<T> x) {
  return load(x.value);
}

// To nearest, ties to even; NaN stays NaN.
TRIMTAB_INLINE void store(float& to, float x) { to = x; }
TRIMTAB_INLINE void store(double& to, double x) { to = x; }

TRIMTAB_INLINE void store(bfloat16& to, float x) {
  const uint32_t bits = bits_of_float(x);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const uint32_t quiet = (bits >> 16) | 0x40u;
  to.bits = static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}

TRIMTAB_INLINE void store(float16& to, float x) {
  const uint32_t bits = bits_of_float(x);
  const uint32_t magnitude = bits & 0x7fffffffu;
  // Beside 0.5 a float32 has the last place of float16's subnormals: the sum rounds to it.
  const uint32_t small = bits_of_float(float_of_bits(magnitude) + 0.5f) - 0x3f000000u;
  const uint32_t normal = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  const uint32_t finite = magnitude < 0x38800000u ? small : normal;
  const uint32_t special = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
  // From 65520 on, half a last place above the largest, the nearest is infinity.
  to.bits = static_cast<uint16_t>(((bits >> 16) & 0x8000u) | (magnitude >= 0x477ff000u ? special : finite));
}

}  // namespace trimtab
