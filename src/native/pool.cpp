// The threads of one process, started when first needed. They live as long as the process;
// a process that was forked from it has none of them, notices, and starts its own.
#include "pool.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#ifdef _WIN32
#include <process.h>
#else
#include <unistd.h>
#endif

namespace hinge {
namespace {

long this_process() {
#ifdef _WIN32
  return _getpid();
#else
  return getpid();
#endif
}

class Pool {
 public:
  const long process = this_process();

  // One call at a time; false if another has the threads.
  bool claim() { return !claimed_.exchange(true, std::memory_order_acquire); }
  void release() { claimed_.store(false, std::memory_order_release); }

  void run(std::int64_t count, std::int64_t helpers, void (*work)(void*, std::int64_t),
           void* context) {
    {
      const std::lock_guard lock(mutex_);
      start(helpers);
      work_ = work, context_ = context, count_ = count;
      next_.store(0, std::memory_order_relaxed);
      seats_ = helpers;
    }
    wake_.notify_all();
    take_parts();
    std::unique_lock lock(mutex_);
    seats_ = 0;  // who wakes only now finds nothing to do
    idle_.wait(lock, [&] { return busy_ == 0; });
  }

 private:
  void start(std::int64_t helpers) {
    try {
      for (; started_ < helpers; ++started_) std::thread([this] { serve(); }).detach();
    } catch (const std::system_error&) {  // the machine gives no more threads
    }
  }

  [[noreturn]] void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return seats_ > 0; });
      --seats_, ++busy_;
      lock.unlock();
      take_parts();
      lock.lock();
      if (--busy_ == 0) idle_.notify_one();
    }
  }

  void take_parts() {
    for (;;) {
      const std::int64_t part = next_.fetch_add(1, std::memory_order_relaxed);
      if (part >= count_) return;
      work_(context_, part);
    }
  }

  std::atomic<bool> claimed_ = false;
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::atomic<std::int64_t> next_ = 0;
  void (*work_)(void*, std::int64_t) = nullptr;
  void* context_ = nullptr;
  std::int64_t count_ = 0, seats_ = 0, busy_ = 0, started_ = 0;
};

// The pool of this process. A forked process never touches its parent's, whose locks may have
// been held at that moment, and leaves its memory alone.
Pool& pool() {
  static std::atomic<Pool*> current = nullptr;
  Pool* known = current.load(std::memory_order_acquire);
  if (known && known->process == this_process()) return *known;
  Pool* fresh = new Pool;
  if (current.compare_exchange_strong(known, fresh, std::memory_order_acq_rel)) return *fresh;
  delete fresh;  // another thread was quicker
  return *known;
}

// What OpenMP's GNU runtime offers: calls a function on so many of its threads at once.
using Parallel = void (*)(void (*)(void*), void*, unsigned threads, unsigned flags);
std::atomic<Parallel> torchs_threads = nullptr;
std::atomic<long> torchs_process = 0;

struct Parts {
  void (*work)(void*, std::int64_t);
  void* context;
  std::int64_t count;
  std::atomic<std::int64_t> next = 0;
};

void take_parts(void* of) {
  auto& parts = *static_cast<Parts*>(of);
  for (;;) {
    const std::int64_t part = parts.next.fetch_add(1, std::memory_order_relaxed);
    if (part >= parts.count) return;
    parts.work(parts.context, part);
  }
}

}  // namespace

void use_threads_of(void* parallel) {
  torchs_process = this_process();
  torchs_threads = reinterpret_cast<Parallel>(parallel);
}

void share(std::int64_t count, std::int64_t threads, void (*work)(void*, std::int64_t),
           void* context) {
  if (threads > 1 && count > 1) {
    const Parallel parallel = torchs_threads;
    if (parallel && torchs_process == this_process()) {
      Parts parts{work, context, count};
      parallel(take_parts, &parts, static_cast<unsigned>(threads < count ? threads : count), 0);
      return;
    }
    Pool& all = pool();
    if (all.claim()) {
      all.run(count, (threads < count ? threads : count) - 1, work, context);
      all.release();
      return;
    }
  }
  for (std::int64_t part = 0; part < count; ++part) work(context, part);
}

}  // namespace hinge
