// One batch of one site, reduced to counts and sums per unit: what the kernel takes and gives.
#pragma once

#include <cstdint>

#include "levels.hpp"

namespace hinge {

// Pre-activations z and outputs h, C-contiguous, shaped (examples, units, positions), or
// (examples, positions, units) if units_last.
template <class Value>
struct Batch {
  const Value* z;
  const Value* h;
  std::int64_t examples, units, positions;
  bool units_last;
};

// The kink, NaN for none, and the open interval outside which the derivative vanishes.
template <class Value>
struct Limits {
  Value kink, low, high;
};

// Where the results go: arrays of one entry per unit. What they hold before is overwritten.
struct Totals {
  std::int64_t *seen, *fired, *always, *live, *values, *zeros, *nonfinite;
  double *min, *max, *total, *squares, *magnitude;
};

// Reduces the units first, ..., last - 1 of a batch.
HINGE_AT_EVERY_LEVEL(
    void tally(const Batch<float>&, const Limits<float>&, std::int64_t first, std::int64_t last,
               const Totals&);
    void tally(const Batch<double>&, const Limits<double>&, std::int64_t first, std::int64_t last,
               const Totals&);)

}  // namespace hinge
