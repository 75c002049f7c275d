// Running sums of values that lie side by side, in registers, for one level.
#pragma once

#include "lanes.hpp"
#include "tally.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

using Count = std::int64_t;

constexpr double kInfinity = __builtin_inf();

inline bool finite(double value) { return value - value == 0; }

// What one example shows of one unit.
template <class Value>
struct Seen {
  double total = 0, squares = 0, magnitude = 0;
  Value min = static_cast<Value>(kInfinity), max = -min;
  Count zeros = 0;

  void add(Value z, Value h) {
    const double wide = z;
    total += wide;
    squares += wide * wide;
    magnitude += __builtin_fabs(static_cast<double>(h));
    min = z < min ? z : min;
    max = z > max ? z : max;
    zeros += h == 0;
  }
};

// What is counted value by value, where each value is an example of its own.
enum class Counting { nothing, fired, fired_and_live };

// Running sums in registers, `n` registers of values side by side.
template <class Value, int n, Counting counting>
struct Sums {
  static constexpr int lanes = Shape<Value>::lanes, parts = kParts<Value>;

  Doubles total[n * parts], squares[n * parts], magnitude[n * parts];
  Lanes<Value> min[n], max[n];
  Masks<Value> zeros[n], fired[n], live[n];

  Sums() {
    each<n>([&](auto k) {
      min[k] = all(static_cast<Value>(kInfinity)), max[k] = -min[k];
      zeros[k] = fired[k] = live[k] = Masks<Value>{};
    });
    each<n * parts>([&](auto k) { total[k] = squares[k] = magnitude[k] = Doubles{}; });
  }

  void add(const Value* z_row, const Value* h_row, const Limits<Value>& limits) {
    each<n>([&](auto k) {
      const Lanes<Value> z = load(z_row + k * lanes), h = load(h_row + k * lanes);
      const Lanes<Value> size = magnitude_of<Value>(h);
      each<parts>([&](auto part) {
        constexpr int at = decltype(k)::value * parts + decltype(part)::value;
        const Doubles wide = widened<part>(z);
        total[at] += wide;
        squares[at] = plus_square<Value>(squares[at], wide);
        magnitude[at] += widened<part>(size);
      });
      min[k] = smaller(min[k], z);
      max[k] = larger(max[k], z);
      zeros[k] -= h == 0;
      if constexpr (counting != Counting::nothing) fired[k] -= z > limits.kink;
      if constexpr (counting == Counting::fired_and_live)
        live[k] -= (z > limits.low) & (z < limits.high);
    });
  }

  bool finite() const {
    Doubles poison{};
    each<n * parts>([&](auto k) { poison += (total[k] + squares[k] + magnitude[k]) * 0.0; });
    return folded<double, kDoubles>(poison, [](auto a, auto b) { return a + b; }) == 0;
  }
};

}  // namespace
}  // namespace hinge::HINGE_LEVEL
