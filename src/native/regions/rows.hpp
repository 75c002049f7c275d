// What is done to whole rows of doubles, each row being a buffer's values at one point.
//
// Every number comes from the same operations in the same order whatever the other rows, so
// that a point has the same values in whichever piece of the domain it is looked at.
#pragma once

#include <cstdint>

#include "../levels.hpp"
#include "aligned.hpp"

namespace hinge::regions {

// A dense matrix, its columns of outputs in panels of kLine: panel after panel, in each the
// inputs one after the other, in each input kLine outputs.
struct Panels {
  const double* packed;
  const double* bias;
  int inputs;
  int outputs;  // padded
};

// Most of it is zero: output i has the entries from starts[i] to starts[i + 1].
struct Sparse {
  const std::int64_t* starts;
  const std::int32_t* inputs;
  const double* weights;
  const double* bias;
  int outputs;
};

// For each of 64 forms whether it is certainly positive, or certainly negative.
struct Signs {
  std::uint64_t positive, negative;
};

// How far two rows are apart, and how large they are: in each, the larger of the largest number
// divided by its scale, and the length divided by the norm.
struct Extent {
  double apart, size;
};

}  // namespace hinge::regions

// multiply: rows of `to` become matrix * row of `from` + bias; `step` is a row's length.
// largest: the largest magnitude in a row.
// signs: where a number exceeds reach * its scale, for the first `count` (a multiple of kLine).
// mix: to = a + t * (b - a). blend: the same, and what is to be known of a and b. measured: the size
// of a row.
// precisely: one row times a matrix, where every number is the sum of a large and a small double;
// the result's error is at most (4 * terms + 16)^2 u^2 times the sum of the terms' magnitudes.
namespace hinge {
HINGE_AT_EVERY_LEVEL(
    void multiply(const regions::Panels& matrix, const double* from, std::int64_t from_step,
                  std::int64_t rows, double* to, std::int64_t to_step);
    void multiply(const regions::Sparse& matrix, const double* from, std::int64_t from_step,
                  std::int64_t rows, double* to, std::int64_t to_step);
    double largest(const double* row, int count);
    regions::Signs signs(const double* row, const double* scale, double reach, int count);
    void mix(const double* a, const double* b, double t, double* to, int count);
    regions::Extent blend(const double* a, const double* b, double t, const double* per_scale,
                          double norm, double* to, int count);
    double measured(const double* row, const double* per_scale, double norm, int count);
    void precisely(const regions::Panels& matrix, const double* high, const double* low,
                   double* to_high, double* to_low);
    void precisely(const regions::Sparse& matrix, const double* high, const double* low,
                   double* to_high, double* to_low);)
}  // namespace hinge
