// A few threads that sleep until there is work to share.
#pragma once

#include <cstdint>

namespace hinge {

// Calls work(context, part) for the parts 0, ..., count - 1, on this thread and up to
// `threads` - 1 others, and returns when all are done. While another call has the threads, it
// does everything itself. `work` must not throw, nor call this function.
void share(std::int64_t count, std::int64_t threads, void (*work)(void* context, std::int64_t part),
           void* context);

// From now on in this process: work on the threads behind `parallel`, which is the function
// GOMP_parallel of an OpenMP runtime. Torch's threads stay awake for a while after each of its
// operations, and would keep ours from the processor.
void use_threads_of(void* parallel);

}  // namespace hinge
