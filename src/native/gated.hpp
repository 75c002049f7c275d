// Gated linear units, gate(a) * b: what the kernels take and give.
#pragma once

#include <cstdint>

#include "elementwise.hpp"
#include "levels.hpp"

namespace hinge {

enum class Gate { sigmoid, relu, gelu, silu };

// Rows of `inner` values; the rows of a and of b begin `step` values apart, those of the
// gradients of a and b likewise, those of the result lie side by side.
struct Gated {
  Gate gate;
  Type type;
  std::int64_t inner, step;
  const void *a, *b;
};

// The kernels treat the values first, ..., last - 1 of the result.
HINGE_AT_EVERY_LEVEL(
    void gated(const Gated&, void* y, std::int64_t first, std::int64_t last);
    void gated_backward(const Gated&, const void* gradient, void* out_a, void* out_b,
                        std::int64_t first, std::int64_t last);)

}  // namespace hinge
