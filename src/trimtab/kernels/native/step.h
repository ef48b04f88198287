// What a step does, as numbers: w ← w − size · direction / scale.
#pragma once

#include <cstdint>

#include "table.h"

namespace trimtab {

enum Stream { PARAM, GRAD, VELOCITY, SQUARE, THIRD, AVERAGE, STEP, AVERAGE_STEP, STREAMS };

enum class Velocity : int32_t { ema, sum };
enum class Third : int32_t { none, mean, largest };  // beside s: the mean of g, or the largest s so far

// As `_Settings` in kernels/step.py lays it out.
struct Settings {
  double lr, beta1, dampening, beta2, eps, weight_decay, bound, factor, gain;
  const double* factors;  // one for each tensor, beside `factor`; or null
  const double* gains;    // one for each tensor, in place of `gain`; or null
  const int64_t* begun;   // 0 where a sum has no gradient in it yet; or null
  int32_t row[STREAMS];   // of the table of addresses; negative for what this step does without
  Dtype dtype, step_dtype;
  Velocity velocity;
  Third third;
  int32_t nesterov, of_scaled, correct_velocity, correct_scale, eps_inside, decoupled, maximize;

  bool has(Stream stream) const { return row[stream] >= 0; }
};

struct StepJob {
  Table table;
  Settings settings;

  template <class T>
  T* at(Stream stream, int64_t tensor) const {
    return table.at<T>(settings.row[stream], tensor);
  }
};

// What one tensor needs of the settings, in the type that it is computed in. What is switched off is 0 or 1: beside
// the memory that moves, arithmetic is free.
// Choices are masks: a condition that does not change within a loop keeps the compiler from vectorising it.
template <class S>
struct Coefficients {
  S factor, bound;              // x = bounded(factor g)
  S coupled_decay, shrink;      // x + coupled_decay w;  shrink w
  S keep, enter;                // sum: v = keep v + enter x
  S ema1, ahead_v, ahead_x;     // ema: v = lerp(v, x, ema1);  Nesterov: ahead_v v + ahead_x x
  S beta2, rest2;               // s = beta2 s + rest2 x²
  S per_weight, eps_inside;     // √(s per_weight + eps_inside)
  S per_root, eps_outside;      // … per_root + eps_outside
  S size, gain;
  Mask<S> is_ema, nesterov, decays, ema1_near, rest2_near, gain_near;  // near: less than a half
};

Coefficients<double> coefficients(const StepJob& job, int64_t tensor);

// Whether two tensors have the same ones: to compute them takes longer than to step a small tensor.
bool alike(const StepJob& job, int64_t tensor, int64_t other);

template <class S>
Coefficients<S> rounded(const Coefficients<double>& c) {
  return {S(c.factor), S(c.bound), S(c.coupled_decay), S(c.shrink), S(c.keep), S(c.enter),
          S(c.ema1), S(c.ahead_v), S(c.ahead_x), S(c.beta2), S(c.rest2), S(c.per_weight),
          S(c.eps_inside), S(c.per_root), S(c.eps_outside), S(c.size), S(c.gain),
          Mask<S>(c.is_ema), Mask<S>(c.nesterov), Mask<S>(c.decays), Mask<S>(c.ema1_near),
          Mask<S>(c.rest2_near), Mask<S>(c.gain_near)};
}

}  // namespace trimtab
