// One team of threads for all tensors of a call.
#pragma once

#include <cstdint>

namespace trimtab {

using Body = void (*)(void* context, int64_t chunk);

// Calls body(context, k) once for each k < chunks, on up to `threads` threads, and returns when all are done. Which
// thread takes which chunk is left to chance: a result that is to be the same on any number of threads must depend on
// the chunk alone. A body does not throw.
void run_chunks(Body body, void* context, int64_t chunks, int threads);

}  // namespace trimtab
