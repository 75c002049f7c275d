// Functions with learned parameters: one pass forward, one pass backward that also sums the
// parameters' gradients.
#include "per_channel.hpp"

#include "learned.hpp"
#include "strips.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

// As many gradients at most are summed as floats, before the sum goes on in double.
constexpr std::int64_t kBlock = 4096, kRows = 64;

// Parameters that all values share, and the sums of their gradients: in registers.
template <int n>
struct Shared {
  Floats parameters[n], sums[n][kInStrip] = {};

  Shared(const Parameters& from, std::int64_t place) {
    each<n>([&](auto k) { parameters[k] = same(from.values[k * from.step + place]); });
  }
  void read(std::int64_t, Floats (&p)[n]) const {
    each<n>([&](auto k) { p[k] = parameters[k]; });
  }
  template <int k, int part>
  void add(std::int64_t, Floats gradient) {
    sums[k][part] += gradient;
  }
  double total(int k) {
    const auto plus = [](auto a, auto b) { return a + b; };
    Floats(&parts)[kInStrip] = sums[k];
    return folded<float, kFloats>(parts, plus);
  }
};

// Parameters that lie side by side, and the sums of their gradients likewise.
template <int n>
struct SideBySide {
  const float* parameters[n];
  float* sums[n];

  void read(std::int64_t at, Floats (&p)[n]) const {
    each<n>([&](auto k) { p[k] = load_floats(parameters[k] + at); });
  }
  template <int k, int part>
  void add(std::int64_t at, Floats gradient) {
    store_floats(sums[k] + at, load_floats(sums[k] + at) + gradient);
  }
};

template <class Function, class Element, class Places>
inline void give_values(const Function& function, const Element* x, Element* y,
                        std::int64_t count, const Places& places) {
  const Element* const in[] = {x};
  Element* const out[] = {y};
  in_strips(in, out, count, [&](const auto& from, const auto& to, auto at, auto position) {
    each<kInStrip>([&](auto part) {
      Floats p[Function::parameters];
      places.read(position + part * kFloats, p);
      const Floats value = load_floats(from[0] + at + part * kFloats);
      store_floats(to[0] + at + part * kFloats, function.value(value, p));
    });
  });
}

template <class Function, class Element, class Places>
inline void give_gradients(const Function& function, const Element* gradient, const Element* x,
                           Element* result, std::int64_t count, Places& places) {
  const Element* const in[] = {gradient, x};
  Element* const out[] = {result};
  in_strips(in, out, count, [&](const auto& from, const auto& to, auto at, auto position) {
    each<kInStrip>([&](auto part) {
      constexpr int n = Function::parameters, offset = part * kFloats;
      Floats p[n];
      places.read(position + offset, p);
      const Floats g = load_floats(from[0] + at + offset);
      const auto derivatives = function.derivatives(load_floats(from[1] + at + offset), p);
      store_floats(to[0] + at + offset, pulled(g, derivatives.x));
      each<n>([&](auto k) {
        places.template add<k, part>(position + offset, pulled(g, derivatives.parameters[k]));
      });
    });
  });
}

// Calls body(function, value of the type of the elements).
template <class Body>
inline void as_function(const LearnedFunction& what, Body body) {
  as_type(what.type, [&](auto element) {
    switch (what.function) {
      case Learned::prelu: return body(Prelu(what.constant), element);
      case Learned::swish: return body(Swish(what.constant), element);
      case Learned::star_relu: return body(StarRelu(what.constant), element);
      case Learned::srelu: return body(Srelu(what.constant), element);
      case Learned::jump_relu: return body(JumpRelu(what.constant), element);
    }
  });
}

template <int n>
SideBySide<n> side_by_side(const Parameters& parameters, float* sums) {
  SideBySide<n> places;
  each<n>([&](auto k) {
    places.parameters[k] = parameters.values + k * parameters.step;
    places.sums[k] = sums ? sums + k * parameters.step : nullptr;
  });
  return places;
}

}  // namespace

void along(const LearnedFunction& what, const ValuesOf& values, const Parameters& parameters,
           std::int64_t place, std::int64_t count) {
  as_function(what, [&]<class Function, class Element>(const Function& function, Element) {
    const Shared<Function::parameters> places(parameters, place);
    give_values(function, static_cast<const Element*>(values.x), static_cast<Element*>(values.y),
                count, places);
  });
}

void along_backward(const LearnedFunction& what, const GradientsOf& values,
                    const Parameters& parameters, std::int64_t place, std::int64_t count,
                    double* sums) {
  as_function(what, [&]<class Function, class Element>(const Function& function, Element) {
    constexpr int n = Function::parameters;
    const auto *gradient = static_cast<const Element*>(values.gradient);
    const auto *x = static_cast<const Element*>(values.x);
    auto* const out = static_cast<Element*>(values.out);
    for (int k = 0; k < n; ++k) sums[k] = 0;
    for (std::int64_t at = 0; at < count; at += kBlock) {
      Shared<n> places(parameters, place);
      give_gradients(function, gradient + at, x + at, out + at,
                     count - at < kBlock ? count - at : kBlock, places);
      for (int k = 0; k < n; ++k) sums[k] += places.total(k);
    }
  });
}

void across(const LearnedFunction& what, const ValuesOf& values, const Parameters& parameters,
            std::int64_t count) {
  as_function(what, [&]<class Function, class Element>(const Function& function, Element) {
    const auto* const x = static_cast<const Element*>(values.x);
    auto* const y = static_cast<Element*>(values.y);
    const auto places = side_by_side<Function::parameters>(parameters, nullptr);
    in_rows(parameters.places, 0, count, [&](auto row, auto, auto width) {
      const std::int64_t at = row * parameters.places;
      give_values(function, x + at, y + at, width, places);
    });
  });
}

void across_backward(const LearnedFunction& what, const GradientsOf& values,
                     const Parameters& parameters, std::int64_t count, float* scratch,
                     double* sums) {
  as_function(what, [&]<class Function, class Element>(const Function& function, Element) {
    constexpr int n = Function::parameters;
    const auto* const gradient = static_cast<const Element*>(values.gradient);
    const auto* const x = static_cast<const Element*>(values.x);
    auto* const out = static_cast<Element*>(values.out);
    const std::int64_t places = parameters.places, step = parameters.step;
    auto side = side_by_side<n>(parameters, scratch);
    in_rows(kRows * places, 0, count, [&](auto block, auto, auto size) {
      for (std::int64_t i = 0; i < n * step; ++i) scratch[i] = 0;
      in_rows(places, 0, size, [&](auto row, auto, auto width) {
        const std::int64_t at = (block * kRows + row) * places;
        give_gradients(function, gradient + at, x + at, out + at, width, side);
      });
      for (int k = 0; k < n; ++k)
        for (std::int64_t i = 0; i < places; ++i) sums[k * places + i] += scratch[k * step + i];
    });
  });
}

}  // namespace hinge::HINGE_LEVEL
