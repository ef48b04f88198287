#include <cmath>

#include "step.h"

namespace trimtab {
namespace {

// The number t of this step, from 1; `count_steps` has counted it.
double number_of_step(const StepJob& job, int64_t tensor) {
  if (!job.settings.has(STEP)) return 0;
  return job.settings.step_dtype == Dtype::float64 ? *job.at<double>(STEP, tensor) : *job.at<float>(STEP, tensor);
}

Mask<double> mask(bool yes) { return yes ? ~Mask<double>{0} : 0; }

void set_gradient(const Settings& o, int64_t tensor, Coefficients<double>& c) {
  c.factor = (o.maximize ? -1 : 1) * o.factor * (o.factors ? o.factors[tensor] : 1);
  c.bound = o.bound;
  c.decays = mask(!o.decoupled && o.weight_decay != 0);
  c.coupled_decay = o.weight_decay;
  c.shrink = o.decoupled ? 1 - o.lr * o.weight_decay : 1;
}

// The divisor of the velocity: less than 1 where a bias is corrected.
double set_velocity(const Settings& o, bool begun, double t, Coefficients<double>& c) {
  c.is_ema = mask(o.velocity == Velocity::ema);
  c.nesterov = mask(o.nesterov);
  c.keep = o.beta1;
  c.enter = begun ? 1 - o.dampening : 1;
  c.ema1 = 1 - o.beta1;
  c.ema1_near = mask(c.ema1 < 0.5);
  c.ahead_v = o.beta1;
  c.ahead_x = c.is_ema ? 1 - o.beta1 : 1;
  if (!o.has(VELOCITY) || !o.correct_velocity) return 1;
  return 1 - std::pow(o.beta1, t + (o.nesterov ? 1 : 0));
}

void set_scale(const Settings& o, double t, Coefficients<double>& c) {
  const double weight = o.correct_scale ? 1 - std::pow(o.beta2, t) : 1;
  const bool on_square = o.eps_inside || o.third == Third::mean;  // else on the root, as torch does
  c.beta2 = o.beta2;
  c.rest2 = 1 - o.beta2;
  c.rest2_near = mask(c.rest2 < 0.5);
  c.per_weight = on_square ? 1 / weight : 1;
  c.per_root = on_square ? 1 : 1 / std::sqrt(weight);
  c.eps_inside = o.eps_inside ? o.eps : 0;
  c.eps_outside = o.eps_inside ? 0 : o.eps;
}

}  // namespace

Coefficients<double> coefficients(const StepJob& job, int64_t tensor) {
  const Settings& o = job.settings;
  const double t = number_of_step(job, tensor);
  Coefficients<double> c{};
  set_gradient(o, tensor, c);
  c.size = o.lr / set_velocity(o, !o.begun || o.begun[tensor], t, c);
  set_scale(o, t, c);
  c.gain = o.gains ? o.gains[tensor] : o.gain;
  c.gain_near = mask(c.gain < 0.5);
  return c;
}

bool alike(const StepJob& job, int64_t tensor, int64_t other) {
  const Settings& o = job.settings;
  return !o.factors && !o.gains && !o.begun && number_of_step(job, tensor) == number_of_step(job, other);
}

}  // namespace trimtab
