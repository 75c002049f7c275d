// CReLU: one pass forward, which keeps two bits of each value, and one pass backward.
#include "concatenated.hpp"

#include "bits.hpp"
#include "strips.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

constexpr std::int64_t kNear = 2048;  // values that stay in the nearest cache between two visits

// The two bits of each value of a strip.
struct StripOfSigns {
  std::uint32_t above = 0, below = 0;

  template <class Element>
  explicit StripOfSigns(const Element* x) {
    each<kInStrip>([&](auto k) {
      const Floats value = load_floats(x + k * kFloats);
      above |= bits_where(!(value <= 0)) << k * kFloats;
      below |= bits_where(!(value >= 0)) << k * kFloats;
    });
  }
  void keep(const Signs& signs, std::int64_t at, std::size_t bytes) const {
    __builtin_memcpy(signs.bits + at / 8, &above, bytes);
    __builtin_memcpy(signs.bits + signs.plane + at / 8, &below, bytes);
  }
};

template <class Element>
void keep_signs(const Element* x, const Signs& signs, std::int64_t first, std::int64_t last) {
  std::int64_t at = first;
  for (; at + kStrip <= last; at += kStrip) StripOfSigns(x + at).keep(signs, at, kStrip / 8);
  if (at == last) return;
  Element rest[kStrip];
  const StripOfSigns strip(filled_up(rest, x + at, last - at));
  strip.keep(signs, at, static_cast<std::size_t>(last - at + 7) / 8);
}

// The bits of a strip of values.
inline std::uint32_t bits_at(const std::uint8_t* plane, std::int64_t value) {
  std::uint64_t bits;
  __builtin_memcpy(&bits, plane + value / 8, sizeof bits);
  return static_cast<std::uint32_t>(bits >> value % 8);
}

// Gives y for the values first, ..., last - 1. `keeps`: and their signs, in the same pass. The rows
// must then hold a multiple of 8 values, so that each begins a byte.
template <bool keeps, class Element>
void give_values(const Element* x, Element* y, const Signs& signs, std::int64_t inner,
                 std::int64_t first, std::int64_t last) {
  in_rows(inner, first, last, [&](auto row, auto column, auto count) {
    const std::int64_t start = row * inner + column;
    const Element* const in[] = {x + start};
    Element* const here = y + 2 * row * inner + column;
    Element* const out[] = {here, here + inner};
    in_strips(in, out, count, [&](const auto& from, const auto& to, auto at, auto position) {
      each<kInStrip>([&](auto k) {
        const Floats value = load_floats(from[0] + at + k * kFloats);
        store_floats(to[0] + at + k * kFloats, value < 0 ? Floats{} : value);
        store_floats(to[1] + at + k * kFloats, value > 0 ? Floats{} : -value);
      });
      if constexpr (keeps) {
        const StripOfSigns strip(from[0] + at);
        if (count - position >= kStrip)
          strip.keep(signs, start + position, kStrip / 8);
        else
          strip.keep(signs, start + position, static_cast<std::size_t>(count - position) / 8);
      }
    });
  });
}

template <class Element>
void forward(const Element* x, Element* y, const Signs& signs, std::int64_t inner,
             std::int64_t first, std::int64_t last) {
  if (!signs.bits) return give_values<false>(x, y, signs, inner, first, last);
  if (inner % 8 == 0) return give_values<true>(x, y, signs, inner, first, last);
  for (std::int64_t near = first; near < last; near += kNear) {
    const std::int64_t end = last - near < kNear ? last : near + kNear;
    give_values<false>(x, y, signs, inner, near, end);
    keep_signs(x, signs, near, end);
  }
}

template <class Element>
void backward(const Element* gradient, Element* result, const Signs& signs, std::int64_t inner,
              std::int64_t first, std::int64_t last) {
  in_rows(inner, first, last, [&](auto row, auto column, auto count) {
    const std::int64_t start = row * inner + column;
    const Element* const here = gradient + 2 * row * inner + column;
    const Element* const in[] = {here, here + inner};
    Element* const out[] = {result + start};
    in_strips(in, out, count, [&](const auto& from, const auto& to, auto at, auto position) {
      const std::uint32_t above = bits_at(signs.bits, start + position);
      const std::uint32_t below = bits_at(signs.bits + signs.plane, start + position);
      each<kInStrip>([&](auto k) {
        const Ints right = where_bits(above >> k * kFloats), left = where_bits(below >> k * kFloats);
        const Floats g = load_floats(from[0] + at + k * kFloats);
        const Floats h = load_floats(from[1] + at + k * kFloats);
        const Floats rising = right ? g : Floats{};
        const Floats falling = right ? same(__builtin_nanf("")) : -h;
        store_floats(to[0] + at + k * kFloats, left ? falling : rising);
      });
    });
  });
}

}  // namespace

void crelu(Type type, const void* x, void* y, const Signs& signs, std::int64_t inner,
           std::int64_t first, std::int64_t last) {
  as_type(type, [&]<class Element>(Element) {
    forward(static_cast<const Element*>(x), static_cast<Element*>(y), signs, inner, first, last);
  });
}

void crelu_backward(Type type, const void* gradient, void* out, const Signs& signs,
                    std::int64_t inner, std::int64_t first, std::int64_t last) {
  as_type(type, [&]<class Element>(Element) {
    backward(static_cast<const Element*>(gradient), static_cast<Element*>(out), signs, inner,
             first, last);
  });
}

}  // namespace hinge::HINGE_LEVEL
