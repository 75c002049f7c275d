// Work on a range of units, spread over a few threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "pool.hpp"

namespace hinge {

// Calls work(first, last) for parts of 0, ..., n - 1 that together cover it: `step` of them at a
// time, the last part may hold fewer. `work` must not throw.
template <class Work>
void spread_by(std::int64_t step, std::int64_t n, std::int64_t threads, Work work) {
  const auto part = [&](std::int64_t number) {
    work(number * step, std::min((number + 1) * step, n));
  };
  share(
      (n + step - 1) / step, threads,
      [](void* context, std::int64_t number) {
        (*static_cast<decltype(part)*>(context))(number);
      },
      const_cast<void*>(static_cast<const void*>(&part)));
}

// The same with a part for each thread; all parts but the last hold a multiple of `together`.
template <class Work>
void spread(std::int64_t n, std::int64_t together, std::int64_t threads, Work work) {
  const std::int64_t share_of_each = n / std::max<std::int64_t>(threads, 1) + 1;
  spread_by((share_of_each + together - 1) / together * together, n, threads, work);
}

}  // namespace hinge
