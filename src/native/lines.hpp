// Lines that stay finite where a slope of zero meets an infinity, for one level.
#pragma once

#include "mathematics.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

// slope * x; where the slope is zero that is zero also at an infinity. NaN stays.
inline Floats along_line(Floats slope, Floats x) {
  const Floats finite = larger(smaller(x, same(kLargestFloat)), same(-kLargestFloat));
  return slope * (slope == 0 ? finite : x);
}

// The same for x <= 0; what it is elsewhere does not matter.
inline Floats along_line_below_zero(Floats slope, Floats x) {
  return slope * (slope == 0 ? larger(x, same(-kLargestFloat)) : x);
}

}  // namespace
}  // namespace hinge::HINGE_LEVEL
