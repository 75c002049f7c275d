// A long array treated in strips of a fixed length, for one level: the same at every level,
// whatever the registers' width, and so is the order in which anything is summed.
#pragma once

#include "elements.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

constexpr int kStrip = 32;                  // values in a strip
constexpr int kInStrip = kStrip / kFloats;  // registers in a strip

// Calls body(row, column, count) for the pieces of rows of `inner` values that make up the values
// first, ..., last - 1 of an array.
template <class Body>
inline void in_rows(std::int64_t inner, std::int64_t first, std::int64_t last, Body body) {
  std::int64_t row = first / inner, column = first % inner;
  for (std::int64_t at = first; at < last; ++row, column = 0) {
    const std::int64_t rest = inner - column, left = last - at;
    const std::int64_t count = rest < left ? rest : left;
    body(row, column, count);
    at += count;
  }
}

// The first `count` values of a strip, filled up with zeros.
template <class Element>
inline const Element* filled_up(Element (&strip)[kStrip], const Element* from, std::int64_t count) {
  for (Element& value : strip) value = Element{};
  __builtin_memcpy(strip, from, static_cast<std::size_t>(count) * sizeof(Element));
  return strip;
}

// Calls body(in, out, at, position) for strips that cover `count` values: those of the inputs
// begin at in[k] + at, they are values position, position + 1, ... of the array, and the results
// go to out[k] + at. Where less than a strip is left, body sees copies, filled up with zeros.
template <class Element, int inputs, int outputs, class Body>
inline void in_strips(const Element* const (&in)[inputs], Element* const (&out)[outputs],
                      std::int64_t count, Body body) {
  const std::int64_t whole = count / kStrip * kStrip, left = count - whole;
  for (std::int64_t at = 0; at < whole; at += kStrip) body(in, out, at, at);
  if (left == 0) return;
  Element read[inputs][kStrip], written[outputs][kStrip];
  const Element* from[inputs];
  Element* to[outputs];
  for (int k = 0; k < inputs; ++k) from[k] = filled_up(read[k], in[k] + whole, left);
  for (int k = 0; k < outputs; ++k) to[k] = written[k];
  body(from, to, std::int64_t{0}, whole);
  for (int k = 0; k < outputs; ++k)
    __builtin_memcpy(out[k] + whole, written[k], static_cast<std::size_t>(left) * sizeof(Element));
}

}  // namespace
}  // namespace hinge::HINGE_LEVEL
