// Pieces of one run, spread over threads and taken up in their order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "../spread.hpp"
#include "run.hpp"

namespace hinge::regions {

// Calls take(i, make(i)) for i = 0, ..., n - 1, `take` in this order and one at a time. The
// first exception stops the run and is thrown again here.
template <class Make, class Take>
void in_order(Run& run, std::int64_t n, Make make, Take take) {
  using Made = decltype(make(n));
  std::vector<std::optional<Made>> made(n);
  std::int64_t next = 0;
  std::mutex taking;
  std::exception_ptr failure;
  const std::thread::id beginner = std::this_thread::get_id();
  run.pieces += n;
  spread_by(1, n, run.threads, [&](std::int64_t i, std::int64_t) {
    try {
      Made own = make(i);
      run.pieces_done += 1;
      if (!run.stopped && std::this_thread::get_id() == beginner && !run.look())
        run.stopped = true;
      const std::lock_guard lock(taking);
      if (failure) return;
      made[i].emplace(std::move(own));
      for (; next < n && made[next]; ++next) {
        take(next, std::move(*made[next]));
        made[next].reset();
      }
    } catch (...) {
      const std::lock_guard lock(taking);
      if (!failure) failure = std::current_exception();
      run.stopped = true;
    }
  });
  if (failure) std::rethrow_exception(failure);
}

}  // namespace hinge::regions
