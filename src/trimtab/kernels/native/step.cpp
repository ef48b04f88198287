#include "step.h"

#include <cmath>
#include <type_traits>

#include "api.h"
#include "isa.h"
#include "team.h"

#define TRIMTAB_LOOPS "step_loops.h"
#include "every_isa.h"

namespace trimtab {
namespace {

constexpr int64_t COUNTED_TOGETHER = 1024;  // tensors

// The counters are tensors of their own, each in a line of memory of its own.
void count_steps(void* context, int64_t part) {
  const auto& job = *static_cast<const StepJob*>(context);
  const int64_t end = std::min(job.table.tensors, (part + 1) * COUNTED_TOGETHER);
  for (int64_t k = part * COUNTED_TOGETHER; k < end; ++k) {
    if (job.settings.has(STEP) && job.settings.step_dtype == Dtype::float64) *job.at<double>(STEP, k) += 1;
    if (job.settings.has(STEP) && job.settings.step_dtype == Dtype::float32) *job.at<float>(STEP, k) += 1;
    if (job.settings.has(AVERAGE_STEP)) *job.at<int64_t>(AVERAGE_STEP, k) += 1;
  }
}

Body chunk_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::float64: return TRIMTAB_OF_ISA(step_chunk<double>);
    case Dtype::bfloat16: return TRIMTAB_OF_ISA(step_chunk<bfloat16>);
    case Dtype::float16: return TRIMTAB_OF_ISA(step_chunk<float16>);
    default: return TRIMTAB_OF_ISA(step_chunk<float>);
  }
}

}  // namespace
}  // namespace trimtab

// One step of every tensor of the table; all of one dtype.
TRIMTAB_API void trimtab_step(int64_t tensors, const int64_t* ends, const int64_t* places,
                              const trimtab::Settings* settings, int64_t threads) {
  using namespace trimtab;
  StepJob job{{tensors, ends, places}, *settings};
  const int team = job.table.threads(threads);
  if (job.settings.has(STEP) || job.settings.has(AVERAGE_STEP))
    run_chunks(count_steps, &job, (tensors + COUNTED_TOGETHER - 1) / COUNTED_TOGETHER, team);
  run_chunks(chunk_of(job.settings.dtype), &job, job.table.chunks(), team);
}

// The numbers that a row of counters holds.
TRIMTAB_API void trimtab_counts(int64_t tensors, const int64_t* places, int64_t* to) {
  for (int64_t k = 0; k < tensors; ++k) to[k] = *reinterpret_cast<const int64_t*>(places[k]);
}
