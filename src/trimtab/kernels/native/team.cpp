#include "team.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "api.h"
#include "pool.h"

namespace trimtab {
namespace {

// GOMP_parallel of the OpenMP runtime that torch has loaded: a second runtime would have threads of its own, and those
// of the one spin while those of the other work.
using Launcher = void (*)(void (*task)(void*), void* data, unsigned threads, unsigned flags);

std::atomic<Launcher> launcher{nullptr};
std::atomic<pid_t> launcher_process{0};

struct Chunks {
  Body body;
  void* context;
  int64_t count;
  std::atomic<int64_t> next{0};
};

void take_chunks(void* data) {
  auto& chunks = *static_cast<Chunks*>(data);
  for (int64_t k; (k = chunks.next.fetch_add(1, std::memory_order_relaxed)) < chunks.count;)
    chunks.body(chunks.context, k);
}

// The runtime's threads do not survive a fork, and it waits for them for ever.
bool may_launch() { return launcher.load() && launcher_process.load() == getpid(); }

}  // namespace

void run_chunks(Body body, void* context, int64_t chunks, int threads) {
  Chunks shared{body, context, chunks};
  const auto useful = static_cast<int>(std::min<int64_t>(threads, chunks));
  if (useful <= 1)
    take_chunks(&shared);
  else if (may_launch())
    launcher.load()(take_chunks, &shared, static_cast<unsigned>(useful), 0);
  else
    run_in_pool(take_chunks, &shared, useful);
}

}  // namespace trimtab

// Null takes the runtime away again, and the core uses threads of its own.
TRIMTAB_API void trimtab_set_launcher(void* address) {
  trimtab::launcher_process = getpid();
  trimtab::launcher = reinterpret_cast<trimtab::Launcher>(address);
}
