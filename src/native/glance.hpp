// One batch of one site, added to what is known of its units: what the kernel takes and changes.
#pragma once

#include <cstdint>

#include "levels.hpp"
#include "tally.hpp"

namespace hinge {

// Pre-activations, C-contiguous, shaped (examples, units, positions), or (examples, positions,
// units) if units_last.
template <class Value>
struct Look {
  const Value* z;
  std::int64_t examples, units, positions;
  bool units_last;
};

// The running state: rows of one entry per unit.
struct Running {
  std::int64_t *seen, *fired, *always, *live, *values, *above, *nonfinite, *last_fired;
  double *min, *max, *top;
  std::int64_t step;  // the present one
  bool anew;          // `top` belongs to an earlier step
};

// Adds the units first, ..., last - 1 of a batch.
HINGE_AT_EVERY_LEVEL(
    void glance(const Look<float>&, const Limits<float>&, std::int64_t first, std::int64_t last,
                const Running&);
    void glance(const Look<double>&, const Limits<double>&, std::int64_t first, std::int64_t last,
                const Running&);)

}  // namespace hinge
