// GLU and its kin: one pass forward, one pass backward from the two factors' inputs alone.
#include "gated.hpp"

#include <type_traits>

#include "self_gated.hpp"
#include "strips.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

// A gate and its derivative.
struct Opened {
  Floats value, slope;
};

template <class Function>
struct Opening {
  Function function;

  Opened operator()(Floats a) const { return {function.value(a), function.slope(a)}; }
};

// The gate's value times b, with the limit where b is infinite: an open gate lets it through,
// also one whose value underflows; a shut one, ReLU below 0, does not.
template <class Function>
Floats times(Floats value, Floats a, Floats b) {
  const Ints infinite = (b == kInfiniteFloat) | (b == -kInfiniteFloat);
  if constexpr (std::is_same_v<Function, Opening<Relu>>) {
    return value * (infinite & (a < 0) ? with_sign_of(b, same(1)) : b);
  } else {
    const Ints underflown = infinite & (value == 0) & (a < 0) & (a > -kInfiniteFloat);
    return (underflown ? with_sign_of(value, same(1)) : value) * b;
  }
}

template <class Element>
const Element* at(const void* from, std::int64_t offset) {
  return static_cast<const Element*>(from) + offset;
}
template <class Element>
Element* at(void* from, std::int64_t offset) {
  return static_cast<Element*>(from) + offset;
}

template <class Function, class Element>
void forward(const Function& gate, const Gated& of, void* y, std::int64_t first,
             std::int64_t last) {
  in_rows(of.inner, first, last, [&](auto row, auto column, auto count) {
    const std::int64_t start = row * of.step + column;
    const Element* const in[] = {at<Element>(of.a, start), at<Element>(of.b, start)};
    Element* const out[] = {at<Element>(y, row * of.inner + column)};
    in_strips(in, out, count, [&](const auto& from, const auto& to, auto at, auto) {
      each<kInStrip>([&](auto part) {
        const std::int64_t here = at + part * kFloats;
        const Floats a = load_floats(from[0] + here);
        store_floats(to[0] + here,
                     times<Function>(gate(a).value, a, load_floats(from[1] + here)));
      });
    });
  });
}

template <class Function, class Element>
void backward(const Function& gate, const Gated& of, const void* gradient, void* out_a,
              void* out_b, std::int64_t first, std::int64_t last) {
  in_rows(of.inner, first, last, [&](auto row, auto column, auto count) {
    const std::int64_t start = row * of.step + column;
    const Element* const in[] = {at<Element>(gradient, row * of.inner + column),
                                 at<Element>(of.a, start), at<Element>(of.b, start)};
    Element* const out[] = {at<Element>(out_a, start), at<Element>(out_b, start)};
    in_strips(in, out, count, [&](const auto& from, const auto& to, auto at, auto) {
      each<kInStrip>([&](auto part) {
        const std::int64_t here = at + part * kFloats;
        const Floats g = load_floats(from[0] + here), b = load_floats(from[2] + here);
        const Opened opened = gate(load_floats(from[1] + here));
        store_floats(to[0] + here, pulled(g * b, opened.slope));
        store_floats(to[1] + here, pulled(g, opened.value));
      });
    });
  });
}

// Calls body(function, value of the type of the elements).
template <class Body>
void as_gate(const Gated& of, Body body) {
  as_type(of.type, [&](auto element) {
    switch (of.gate) {
      case Gate::sigmoid: return body(Opening{Sigmoid()}, element);
      case Gate::relu: return body(Opening{Relu()}, element);
      case Gate::gelu: return body(Opening{Gelu()}, element);
      case Gate::silu: return body(Opening{Silu(1.0)}, element);
    }
  });
}

}  // namespace

void gated(const Gated& of, void* y, std::int64_t first, std::int64_t last) {
  as_gate(of, [&]<class Function, class Element>(const Function& gate, Element) {
    forward<Function, Element>(gate, of, y, first, last);
  });
}

void gated_backward(const Gated& of, const void* gradient, void* out_a, void* out_b,
                    std::int64_t first, std::int64_t last) {
  as_gate(of, [&]<class Function, class Element>(const Function& gate, Element) {
    backward<Function, Element>(gate, of, gradient, out_a, out_b, first, last);
  });
}

}  // namespace hinge::HINGE_LEVEL
