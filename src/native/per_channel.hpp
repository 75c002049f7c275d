// Functions with learned parameters, one set per channel: what the kernels take and give.
#pragma once

#include <cstdint>

#include "elementwise.hpp"
#include "levels.hpp"

namespace hinge {

enum class Learned { prelu, swish, star_relu, srelu, jump_relu };

constexpr int parameters_of(Learned function) {
  switch (function) {
    case Learned::star_relu: return 2;
    case Learned::srelu: return 4;
    default: return 1;
  }
}

// A function, the type of the values, and the one number that is not learned (a bandwidth).
struct LearnedFunction {
  Learned function;
  Type type;
  float constant;
};

// Parameter k of place i is values[k * step + i].
struct Parameters {
  const float* values;
  std::int64_t places, step;
};

struct ValuesOf {
  const void* x;
  void* y;
};

struct GradientsOf {
  const void *gradient, *x;
  void* out;
};

// Treats `count` values that share the parameters of one place. Backward also gives the sums of
// the parameters' gradients, sums[k].
HINGE_AT_EVERY_LEVEL(
    void along(const LearnedFunction&, const ValuesOf&, const Parameters&, std::int64_t place,
               std::int64_t count);
    void along_backward(const LearnedFunction&, const GradientsOf&, const Parameters&,
                        std::int64_t place, std::int64_t count, double* sums);)

// Treats `count` values, of which value i has the parameters of place i % places. Backward also
// adds to the sums, sums[k * places + i % places]; `scratch` has room for as many numbers as
// there are parameters. Parameters and scratch can be read for kBeyond numbers more.
constexpr std::int64_t kBeyond = 32;
HINGE_AT_EVERY_LEVEL(
    void across(const LearnedFunction&, const ValuesOf&, const Parameters&, std::int64_t count);
    void across_backward(const LearnedFunction&, const GradientsOf&, const Parameters&,
                         std::int64_t count, float* scratch, double* sums);)

}  // namespace hinge
