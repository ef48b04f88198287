#include "api.h"
#include "isa.h"
#include "table.h"
#include "team.h"

namespace trimtab {

// From piece to piece either the chunk or the tensor is the next one: their sum is a place for each.
struct SquaresJob {
  Table table;
  double* parts;
  double unit;
};

}  // namespace trimtab

#define TRIMTAB_LOOPS "squares_loops.h"
#include "every_isa.h"

namespace trimtab {
namespace {

Body chunk_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::float64: return TRIMTAB_OF_ISA(squares_chunk<double>);
    case Dtype::bfloat16: return TRIMTAB_OF_ISA(squares_chunk<bfloat16>);
    case Dtype::float16: return TRIMTAB_OF_ISA(squares_chunk<float16>);
    default: return TRIMTAB_OF_ISA(squares_chunk<float>);
  }
}

// In the order of memory, whoever computed them.
void add_parts(const SquaresJob& job, double* sums) {
  int64_t begin = 0;
  for (int64_t k = 0; k < job.table.tensors; begin = job.table.ends[k++]) {
    sums[k] = 0;
    if (job.table.ends[k] == begin) continue;
    for (int64_t chunk = begin / CHUNK; chunk <= (job.table.ends[k] - 1) / CHUNK; ++chunk)
      sums[k] += job.parts[chunk + k];
  }
}

}  // namespace
}  // namespace trimtab

// sums[k] = Σ (unit x)² of tensor k; not finite where an element is not. `parts` has room for chunks + tensors.
TRIMTAB_API void trimtab_squares(int64_t tensors, const int64_t* ends, const int64_t* places, int32_t dtype, double unit,
                                 double* parts, double* sums, int64_t threads) {
  using namespace trimtab;
  SquaresJob job{{tensors, ends, places}, parts, unit};
  run_chunks(chunk_of(static_cast<Dtype>(dtype)), &job, job.table.chunks(), job.table.threads(threads));
  add_parts(job, sums);
}

TRIMTAB_API int64_t trimtab_chunk() { return trimtab::CHUNK; }
