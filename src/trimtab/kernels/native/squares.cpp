#include <algorithm>
#include <cstring>

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
  const double* known;  // of each tensor its sum, or what is negative or not a number; or null

  bool knows(int64_t k) const { return known && known[k] >= 0; }
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

constexpr int64_t MARKED = 64;  // elements

// The bits of some elements of a tensor, from end to end.
template <class T>
int64_t mark(const T* x, int64_t n) {
  uint64_t mixed = 0;
  for (int64_t i = 0; i < std::min(n, MARKED); ++i) {
    uint64_t bits = 0;
    std::memcpy(&bits, x + (n <= MARKED ? i : i * (n - 1) / (MARKED - 1)), sizeof(T));
    mixed = (mixed ^ bits) * 0x100000001b3;
  }
  return static_cast<int64_t>(mixed);
}

// In the order of memory, whoever computed them.
void add_parts(const SquaresJob& job, double* sums) {
  int64_t begin = 0;
  for (int64_t k = 0; k < job.table.tensors; begin = job.table.ends[k++]) {
    sums[k] = job.knows(k) ? job.known[k] : 0;
    if (job.knows(k) || job.table.ends[k] == begin) continue;
    for (int64_t chunk = begin / CHUNK; chunk <= (job.table.ends[k] - 1) / CHUNK; ++chunk)
      sums[k] += job.parts[chunk + k];
  }
}

}  // namespace
}  // namespace trimtab

// sums[k] = Σ (unit x)² of tensor k; not finite where an element is not. `parts` has room for chunks + tensors. What is
// `known` is taken as it is.
TRIMTAB_API void trimtab_squares(int64_t tensors, const int64_t* ends, const int64_t* places, int32_t dtype, double unit,
                                 const double* known, double* parts, double* sums, int64_t threads) {
  using namespace trimtab;
  SquaresJob job{{tensors, ends, places}, parts, unit, known};
  run_chunks(chunk_of(static_cast<Dtype>(dtype)), &job, job.table.chunks(), job.table.threads(threads));
  add_parts(job, sums);
}

// A number that changes, as good as always, where the elements do.
TRIMTAB_API int64_t trimtab_mark(const void* x, int64_t n, int32_t dtype) {
  using namespace trimtab;
  switch (static_cast<Dtype>(dtype)) {
    case Dtype::float64: return mark(static_cast<const double*>(x), n);
    case Dtype::float32: return mark(static_cast<const float*>(x), n);
    default: return mark(static_cast<const uint16_t*>(x), n);
  }
}

TRIMTAB_API int64_t trimtab_chunk() { return trimtab::CHUNK; }
