// A kernel run over a whole tensor: of any type and size, by a few threads.
#pragma once

#include <cstdint>

#include "elementwise.hpp"

namespace hinge {

// How to run: the level's offer, the tensor's type and number of elements, the threads at hand.
struct Run {
  const Elementwise& offered;
  Type type;
  std::int64_t size;
  std::int64_t threads;
};

// These take the addresses of tensors, and of bits. What is written may be what is read.
void map(const Run&, Kernel::Map, const double* parameters, const void* x, void* y);
void map_and_mark(const Run&, const Kernel&, const double* parameters, const void* x, void* y,
                  void* bits);
void pull(const Run&, Kernel::Pull, const double* parameters, const void* gradient,
          const void* kept, void* out);
void unmark(const Run&, Kernel::Unmark, const double* parameters, const void* gradient,
            const void* bits, void* out);
bool within(const Run&, const void* x, double low, double high);

// A parameter as a tensor of the type would hold it.
double rounded(const Run&, double parameter);

}  // namespace hinge
