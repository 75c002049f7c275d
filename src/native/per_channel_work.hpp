// A function with learned parameters over a whole tensor: the work cut to pieces and spread.
#pragma once

#include <cstdint>

#include "levels.hpp"
#include "per_channel.hpp"

namespace hinge {

// The tensor's layout: C-contiguous, (outer, channels, inner).
struct Channels {
  std::int64_t outer, channels, inner;
};

// How a function is run: at which level, on how many threads.
struct Workers {
  Level level;
  std::int64_t threads;
};

// `parameters` holds an array of one number per channel for each of the function's parameters.
void per_channel(const Workers&, const LearnedFunction&, const ValuesOf&, const float* parameters,
                 const Channels&);

// `sums`, shaped like `parameters`, is overwritten with the sums of the parameters' gradients:
// the same bits on any number of threads.
void per_channel_backward(const Workers&, const LearnedFunction&, const GradientsOf&,
                          const float* parameters, const Channels&, double* sums);

}  // namespace hinge
