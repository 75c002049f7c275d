// Work on a range of units, spread over a few threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

namespace hinge {

// Calls work(first, last) for parts of 0, ..., n - 1 that together cover it. Each part but the
// last holds a multiple of `together`. Must be called without Python's lock.
template <class Work>
void spread(std::int64_t n, std::int64_t together, std::int64_t threads, Work work) {
  const std::int64_t share = n / std::max<std::int64_t>(threads, 1) + 1;
  const std::int64_t step = (share + together - 1) / together * together;
  std::vector<std::thread> helpers;
  for (std::int64_t first = step; first < n; first += step) {
    const std::int64_t last = std::min(first + step, n);
    try {
      helpers.emplace_back(work, first, last);
    } catch (const std::system_error&) {  // the machine gives no more threads
      work(first, last);
    }
  }
  work(0, std::min(step, n));
  for (auto& helper : helpers) helper.join();
}

}  // namespace hinge
