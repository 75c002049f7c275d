// How far a result in floating point may be from the true one.
//
// A sum of n products is within gamma = n u / (1 - n u) of the true one, relative to the sum of the
// terms' magnitudes, u = 2^-53 (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
// section 3.1). Where the processor reports that nothing was rounded, nothing is off: so dyadic
// networks stay exact.
#pragma once

#include <cfenv>

namespace hinge::regions {

constexpr double kUnit = 0x1p-53;
// Bounds are themselves rounded; this much more makes up for it.
constexpr double kMargin = 1.0 + 1e-9;

inline double gamma(double terms) { return kMargin * (terms + 4) * kUnit; }

inline void await_rounding() { std::feclearexcept(FE_INEXACT); }
inline bool nothing_rounded() { return !std::fetestexcept(FE_INEXACT); }

}  // namespace hinge::regions
