// Randomised rectifiers: what the kernels take and give.
#pragma once

#include <cstdint>

#include "elementwise.hpp"
#include "levels.hpp"

namespace hinge {

// Value i of an array has the slope lower + (upper - lower) * u for x <= 0, where 2^24 u are the
// upper 24 bits of word i of the Philox stream whose key is the seed.
struct Slopes {
  float lower, upper;
  std::uint64_t seed;
};

// The kernels treat the values first, ..., last - 1; first is a multiple of this many.
constexpr std::int64_t kRandomTogether = 32;

HINGE_AT_EVERY_LEVEL(
    void rrelu(Type, const void* x, void* y, const Slopes&, std::int64_t first, std::int64_t last);
    // `kept` has the sign of x.
    void rrelu_backward(Type, const void* gradient, const void* kept, void* out, const Slopes&,
                        std::int64_t first, std::int64_t last);
    // The words of the counters counter, counter + 1, ... of a stream: `count` of them.
    void philox(std::uint64_t key, std::uint64_t counter, std::uint64_t stream,
                std::uint32_t* words, std::int64_t count);)

}  // namespace hinge
