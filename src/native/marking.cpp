// The signs of a gradient and its squares, in one pass: the kernel itself.
//
// Squares are summed in double, in an order that depends on the shape alone.
#include "marking.hpp"

#include "lanes.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

using Count = std::int64_t;

constexpr int kSide = 16;  // sums that run side by side, at every level
constexpr int kHigh = 16;  // rows between two visits to the sums in memory

// Counts and sums of kSide values side by side.
template <class Value>
struct Kinds {
  static constexpr int lanes = Shape<Value>::lanes, n = kSide / lanes, parts = kParts<Value>;

  Doubles squares[n * parts];
  Masks<Value> positive[n], negative[n], nonzero[n];

  Kinds() {
    each<n * parts>([&](auto k) { squares[k] = Doubles{}; });
    each<n>([&](auto k) { positive[k] = negative[k] = nonzero[k] = Masks<Value>{}; });
  }

  void add(const Value* values) {
    each<n>([&](auto k) {
      const Lanes<Value> x = load(values + k * lanes);
      each<parts>([&](auto part) {
        constexpr int at = decltype(k)::value * parts + decltype(part)::value;
        squares[at] = plus_square<Value>(squares[at], widened<part>(x));
      });
      positive[k] -= x > 0;
      negative[k] -= x < 0;
      nonzero[k] -= x != 0;
    });
  }
};

void add_one(const Signs& out, Count unit, double value) {
  out.squares[unit] += value * value;
  out.positive[unit] += value > 0;
  out.negative[unit] += value < 0;
  out.nonzero[unit] += value != 0;
}

// One example of one unit whose positions lie side by side.
template <class Value>
void add_along(const Value* values, Count count, const Signs& out, Count unit) {
  Count i = 0;
  if (count >= kSide) {
    Kinds<Value> kinds;
    for (; i + kSide <= count; i += kSide) kinds.add(values + i);
    const auto sum = [](auto a, auto b) { return a + b; };
    const auto counted = [&](auto& masks) {
      return folded<typename Shape<Value>::Integer, Kinds<Value>::lanes>(masks, sum);
    };
    out.squares[unit] += folded<double, kDoubles>(kinds.squares, sum);
    out.positive[unit] += counted(kinds.positive);
    out.negative[unit] += counted(kinds.negative);
    out.nonzero[unit] += counted(kinds.nonzero);
  }
  for (; i < count; ++i) add_one(out, unit, values[i]);
}

// A few rows of kSide units that lie side by side, `step` apart.
template <class Value>
void add_down(const Value* values, int height, Count step, const Signs& out, Count unit) {
  Kinds<Value> kinds;
  for (int row = 0; row < height; ++row) {
    __builtin_prefetch(values + row * step + 4 * kSide);
    kinds.add(values + row * step);
  }
  for (int i = 0; i < kSide; ++i) {
    constexpr int lanes = Kinds<Value>::lanes;
    out.squares[unit + i] += kinds.squares[i / kDoubles][i % kDoubles];
    out.positive[unit + i] += kinds.positive[i / lanes][i % lanes];
    out.negative[unit + i] += kinds.negative[i / lanes][i % lanes];
    out.nonzero[unit + i] += kinds.nonzero[i / lanes][i % lanes];
  }
}

template <class Value>
void signs_any(const Gradient<Value>& gradient, Count first, Count last, const Signs& out) {
  for (Count unit = first; unit < last; ++unit) {
    out.positive[unit] = out.negative[unit] = out.nonzero[unit] = 0;
    out.squares[unit] = 0;
  }
  const auto [values, examples, units, positions, units_last] = gradient;
  if (positions > 1 && !(units_last && units > 1)) {
    for (Count example = 0; example < examples; ++example)
      for (Count unit = first; unit < last; ++unit)
        add_along(values + (example * units + unit) * positions, positions, out, unit);
    return;
  }
  const Count rows = examples * positions, whole = last - (last - first) % kSide;
  for (Count row = 0; row < rows; row += kHigh) {
    const int height = static_cast<int>(rows - row < kHigh ? rows - row : kHigh);
    for (Count unit = first; unit < whole; unit += kSide)
      add_down(values + row * units + unit, height, units, out, unit);
    for (int r = 0; r < height; ++r)
      for (Count unit = whole; unit < last; ++unit)
        add_one(out, unit, values[(row + r) * units + unit]);
  }
}

}  // namespace

void signs(const Gradient<float>& gradient, std::int64_t first, std::int64_t last,
           const Signs& out) {
  signs_any(gradient, first, last, out);
}

void signs(const Gradient<double>& gradient, std::int64_t first, std::int64_t last,
           const Signs& out) {
  signs_any(gradient, first, last, out);
}

}  // namespace hinge::HINGE_LEVEL
