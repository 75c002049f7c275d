// CReLU, [relu(x), relu(-x)]: what the kernels take and give.
#pragma once

#include <cstdint>

#include "elementwise.hpp"
#include "levels.hpp"

namespace hinge {

// x is a C-contiguous array of rows of `inner` values; y holds relu(x) and relu(-x) of each row,
// one after the other.
//
// The signs of x are kept as two planes of `plane` bytes. Bit i % 8 of byte i / 8 is set in the
// first plane unless x[i] <= 0, in the second unless x[i] >= 0: both bits are set where x is NaN.
struct Signs {
  std::uint8_t* bits;  // null: not kept
  std::int64_t plane;
};

constexpr std::int64_t bytes_of_plane(std::int64_t values) {
  return values / 8 + 8;  // so that eight bytes can be read wherever a value's bit lies
}

// The kernels treat the values first, ..., last - 1 of x; first is a multiple of this many.
constexpr std::int64_t kSignsTogether = 64;

HINGE_AT_EVERY_LEVEL(
    void crelu(Type, const void* x, void* y, const Signs&, std::int64_t inner, std::int64_t first,
               std::int64_t last);
    void crelu_backward(Type, const void* gradient, void* out, const Signs&, std::int64_t inner,
                        std::int64_t first, std::int64_t last);)

}  // namespace hinge
