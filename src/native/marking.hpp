// The signs of a gradient, per unit: what the kernel takes and gives.
#pragma once

#include <cstdint>

#include "levels.hpp"

namespace hinge {

// C-contiguous, shaped (examples, units, positions), or (examples, positions, units) if
// units_last.
template <class Value>
struct Gradient {
  const Value* values;
  std::int64_t examples, units, positions;
  bool units_last;
};

// Where the results go, an entry per unit: how many values are above 0, below 0 and not 0, which
// NaN is, and the sum of their squares.
struct Signs {
  std::int64_t *positive, *negative, *nonzero;
  double* squares;
};

// Counts for the units first, ..., last - 1.
HINGE_AT_EVERY_LEVEL(
    void signs(const Gradient<float>&, std::int64_t first, std::int64_t last, const Signs&);
    void signs(const Gradient<double>&, std::int64_t first, std::int64_t last, const Signs&);)

}  // namespace hinge
