#include "pool.h"

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace trimtab {
namespace {

// Workers sleep between calls. A pool is never taken down: its threads end with the process.
class Pool {
 public:
  // False where another call has the pool.
  bool try_run(void (*task)(void*), void* data, int threads) {
    std::unique_lock<std::mutex> call(call_, std::try_to_lock);
    if (!call) return false;
    std::unique_lock<std::mutex> lock(state_);
    for (; workers_ < threads - 1; ++workers_) std::thread([this, n = workers_] { work(n); }).detach();
    task_ = task, data_ = data, wanted_ = threads - 1, running_ = wanted_, ++round_;
    lock.unlock();
    begin_.notify_all();
    task(data);
    lock.lock();
    end_.wait(lock, [this] { return running_ == 0; });
    return true;
  }

 private:
  void work(int number) {
    std::unique_lock<std::mutex> lock(state_);
    for (long seen = 0;;) {
      begin_.wait(lock, [&] { return round_ != seen; });
      seen = round_;
      if (number >= wanted_) continue;
      lock.unlock();
      task_(data_);
      lock.lock();
      if (--running_ == 0) end_.notify_one();
    }
  }

  std::mutex call_, state_;
  std::condition_variable begin_, end_;
  void (*task_)(void*) = nullptr;
  void* data_ = nullptr;
  int workers_ = 0, wanted_ = 0, running_ = 0;
  long round_ = 0;
};

struct Owned {
  pid_t process;
  Pool pool;
};

std::atomic<Owned*> owned{nullptr};

// A forked child has the parent's pool without its threads, perhaps with its locks taken: it leaves that be and makes
// one of its own.
Pool& pool() {
  Owned* current = owned.load();
  if (current && current->process == getpid()) return current->pool;
  auto* fresh = new Owned{getpid(), {}};
  if (owned.compare_exchange_strong(current, fresh)) return fresh->pool;
  delete fresh;
  return current->pool;
}

}  // namespace

void run_in_pool(void (*task)(void*), void* data, int threads) {
  if (!pool().try_run(task, data, threads)) task(data);
}

}  // namespace trimtab
