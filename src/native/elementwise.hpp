// The elementwise activations: what every level offers of them.
#pragma once

#include <cstdint>

#include "levels.hpp"

namespace hinge {

// What the backward pass of an activation needs.
enum class Keeps { nothing, input, output, bits };
constexpr const char* name_of(Keeps keeps) {
  constexpr const char* names[] = {"nothing", "input", "output", "bits"};
  return names[static_cast<int>(keeps)];
}

// The most parameters that an activation has.
constexpr int kParameters = 2;

// All that runs over arrays does so in blocks of this many elements: n is a multiple of it.
constexpr int kBlock = 16;

// One activation. Its functions take n floats and may write where they read.
struct Kernel {
  using Map = void (*)(const double* parameters, const float* x, float* y, std::int64_t n);
  using Pull = void (*)(const double* parameters, const float* gradient, const float* kept,
                        float* out, std::int64_t n);
  using Mark = void (*)(const double* parameters, const float* x, std::uint8_t* bits,
                        std::int64_t n);
  using Unmark = void (*)(const double* parameters, const float* gradient,
                          const std::uint8_t* bits, float* out, std::int64_t n);

  const char* name;
  const char* parameters;  // their names, with blanks between them
  Keeps keeps;
  bool at_kinks;     // the parameters are kinks: rounded to the tensor's type, as its values are
  Map value, slope;  // f(x), f'(x)
  Pull pull;         // gradient * f', from the input or the output; none if bits are kept
  Mark mark;         // bit i % 8 of byte i / 8: is f' not 0? None if no bits are kept
  Unmark unmark;     // gradient * f' from those bits
};

enum class Type { float32, bfloat16, float16 };

// Between 16-bit numbers and floats; from floats rounded to nearest, ties to even.
struct Codec {
  void (*widen)(const std::uint16_t* from, float* to, std::int64_t n);
  void (*narrow)(const float* from, std::uint16_t* to, std::int64_t n);
};

// What one level offers: the same kernels in the same order at each.
struct Elementwise {
  const Kernel* kernels;
  int size;
  Codec bfloat16, float16;
  // Whether low < x < high for all; not where one is NaN.
  bool (*within)(const float* x, std::int64_t n, float low, float high);
};

HINGE_AT_EVERY_LEVEL(const Elementwise& elementwise();)

}  // namespace hinge
