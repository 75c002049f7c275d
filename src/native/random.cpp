// RReLU: one pass forward, one pass backward that draws the same slopes again.
#include "random.hpp"

#include "lines.hpp"
#include "philox.hpp"
#include "strips.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

class Drawn {
 public:
  explicit Drawn(const Slopes& slopes)
      : random_(slopes.seed),
        lower_(same(slopes.lower)),
        step_(same((slopes.upper - slopes.lower) * 0x1p-24f)) {}

  // The slopes of a strip of values.
  void operator()(std::int64_t position, Floats (&slopes)[kInStrip]) const {
    const auto counter = static_cast<std::uint64_t>(position) / 4;
    Words words[kInStrip];
    each<kInStrip / 2>([&](auto k) { random_.words(counter + k * kCounters, 0, words + 2 * k); });
    each<kInStrip>([&](auto k) {
      const auto bits = (Ints)(words[k] >> 8);
      slopes[k] = lower_ + step_ * __builtin_convertvector(bits, Floats);
    });
  }

 private:
  Philox random_;
  Floats lower_, step_;
};

// `bounded`: a slope may be zero.
template <bool bounded, class Element>
void forward(const void* x, void* y, const Slopes& slopes, std::int64_t first, std::int64_t last) {
  const Element* const in[] = {static_cast<const Element*>(x) + first};
  Element* const out[] = {static_cast<Element*>(y) + first};
  const Drawn drawn(slopes);
  in_strips(in, out, last - first, [&](const auto& from, const auto& to, auto at, auto position) {
    Floats slope[kInStrip];
    drawn(first + position, slope);
    each<kInStrip>([&](auto k) {
      const Floats value = load_floats(from[0] + at + k * kFloats);
      const Floats below = bounded ? along_line_below_zero(slope[k], value) : slope[k] * value;
      store_floats(to[0] + at + k * kFloats, value > 0 ? value : below);
    });
  });
}

template <class Element>
void backward(const void* gradient, const void* kept, void* result, const Slopes& slopes,
              std::int64_t first, std::int64_t last) {
  const Element* const in[] = {static_cast<const Element*>(gradient) + first,
                               static_cast<const Element*>(kept) + first};
  Element* const out[] = {static_cast<Element*>(result) + first};
  const Drawn drawn(slopes);
  in_strips(in, out, last - first, [&](const auto& from, const auto& to, auto at, auto position) {
    Floats slope[kInStrip];
    drawn(first + position, slope);
    each<kInStrip>([&](auto k) {
      const Floats g = load_floats(from[0] + at + k * kFloats);
      const Floats sign = load_floats(from[1] + at + k * kFloats);
      const Floats sloped = sign <= 0 ? g * slope[k] : sign;  // NaN stays
      store_floats(to[0] + at + k * kFloats, sign > 0 ? g : sloped);
    });
  });
}

}  // namespace

void rrelu(Type type, const void* x, void* y, const Slopes& slopes, std::int64_t first,
           std::int64_t last) {
  as_type(type, [&]<class Element>(Element) {
    const bool bounded = slopes.lower <= 0;
    (bounded ? forward<true, Element> : forward<false, Element>)(x, y, slopes, first, last);
  });
}

void rrelu_backward(Type type, const void* gradient, const void* kept, void* out,
                    const Slopes& slopes, std::int64_t first, std::int64_t last) {
  as_type(type, [&]<class Element>(Element) {
    backward<Element>(gradient, kept, out, slopes, first, last);
  });
}

void philox(std::uint64_t key, std::uint64_t counter, std::uint64_t stream, std::uint32_t* words,
            std::int64_t count) {
  const Philox random(key);
  constexpr std::int64_t most = 2 * kFloats;
  for (std::int64_t done = 0; done < count; done += most, counter += kCounters) {
    Words found[2];
    random.words(counter, stream, found);
    const std::int64_t left = count - done < most ? count - done : most;
    __builtin_memcpy(words + done, found, static_cast<std::size_t>(left) * sizeof(*words));
  }
}

}  // namespace hinge::HINGE_LEVEL
