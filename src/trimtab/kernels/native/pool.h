// Threads of our own, for where torch's cannot be had.
#pragma once

namespace trimtab {

// Calls task(data) on the calling thread and on threads − 1 others, and returns when all have returned.
void run_in_pool(void (*task)(void*), void* data, int threads);

}  // namespace trimtab
