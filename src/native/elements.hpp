// Registers of floats from and to tensors of every type, for one level.
#pragma once

#include <cstdint>

#include "elementwise.hpp"
#include "halves.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

// A 16-bit number in memory.
template <class Format>
struct Half {
  std::uint16_t bits;
};

inline Floats load_floats(const float* from) { return read<Floats>(from); }
inline void store_floats(float* to, Floats values) { write(to, values); }

template <class Format>
inline Floats load_floats(const Half<Format>* from) {
  return Format::widened(read<Halves>(from));
}
template <class Format>
inline void store_floats(Half<Format>* to, Floats values) {
  write(to, Format::narrowed(values));
}

// Calls body with a value of the type of the elements.
template <class Body>
inline void as_type(Type type, Body body) {
  switch (type) {
    case Type::float32: return body(float{});
    case Type::bfloat16: return body(Half<Bfloat16>{});
    case Type::float16: return body(Half<Float16>{});
  }
}

}  // namespace
}  // namespace hinge::HINGE_LEVEL
