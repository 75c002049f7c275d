// A glance at rows of units that lie side by side, for one level.
#pragma once

#include "gathered.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

constexpr int kHigh = 32;  // rows reduced in registers between two visits to the tile

// Registers that this level can reduce together.
constexpr int kBroad = kDoubles == 8 ? 4 : 2;

// Rows of units: `step` values apart, and `end` behind the last value that may be read.
template <class Value>
struct Lines {
  const Value *z, *end;
  Count step;

  Lines from(Count row, Count unit) const { return {z + row * step + unit, end, step}; }

  // A register of values, of which those behind the end are 0.
  Wide<Value> at_most(Count row) const {
    const Value* from = z + row * step;
    if (end - from >= kWidth<Value>) return load_wide(from);
    Value values[kWidth<Value>] = {};
    for (int i = 0; from + i < end; ++i) values[i] = from[i];
    return load_wide(values);
  }
};

// Rows of up to kTogether units side by side, reduced; behind them is room for one register more.
// `poison` is 0 where all was finite.
template <class Value>
struct Tile {
  static constexpr int room = kTogether + kWidth<Value>;

  Value least[room], most[room], poison[room];
  Integer<Value> above[room], live[room];

  void clear(int units) {
    for (int i = 0; i < units + kWidth<Value>; ++i) {
      least[i] = static_cast<Value>(kInfinity), most[i] = -least[i], poison[i] = 0;
      above[i] = live[i] = 0;
    }
  }
};

// A few rows of `n` registers, reduced.
template <class Value, int n, Live live>
struct Strip {
  Wide<Value> least[n], most[n], poison[n];
  Truths<Value> above[n], between[n];

  Strip() {
    each<n>([&](auto k) {
      least[k] = everywhere(static_cast<Value>(kInfinity)), most[k] = -least[k];
      poison[k] = Wide<Value>{};
      above[k] = between[k] = Truths<Value>{};
    });
  }

  template <int k>
  void add(Wide<Value> z, const Limits<Value>& limits) {
    least[k] = smaller_of(least[k], z);
    most[k] = larger_of(most[k], z);
    poison[k] = poisoned(poison[k], z);
    count_above(above[k], z, everywhere(limits.kink));
    if constexpr (live == Live::between)
      count_between(between[k], z, everywhere(limits.low), everywhere(limits.high));
  }

  bool finite() const {
    Wide<Value> poisons = poison[0];
    each<n>([&](auto k) { poisons += poison[k]; });
    return !some_nan(poisons);
  }

  // Adds it to the units of a tile from `at` on.
  void join(Tile<Value>& tile, int at) const {
    each<n>([&](auto k) {
      const int to = at + k * kWidth<Value>;
      store_wide(tile.least + to, smaller_of(load_wide(tile.least + to), least[k]));
      store_wide(tile.most + to, larger_of(load_wide(tile.most + to), most[k]));
      store_wide(tile.poison + to, load_wide(tile.poison + to) + poison[k]);
      add_to(tile.above + to, above[k]);
      if constexpr (live == Live::between) add_to(tile.live + to, between[k]);
    });
  }

  static void add_to(Integer<Value>* to, Truths<Value> counts) {
    Truths<Value> old;
    __builtin_memcpy(&old, to, sizeof old);
    store_wide(to, old + counts);
  }
};

// A strip of `height` rows; where it is `last`, a row may end within the register.
template <int n, Live live, class Value>
Strip<Value, n, live> strip_of(const Lines<Value>& lines, int height, bool last,
                               const Limits<Value>& limits) {
  Strip<Value, n, live> strip;
  if (last) {
    for (int row = 0; row < height; ++row) strip.template add<0>(lines.at_most(row), limits);
    return strip;
  }
  for (int row = 0; row < height; ++row) {
    const Value* z = lines.z + row * lines.step;
    // No processor guesses so many streams itself.
    each<n>([&](auto k) { __builtin_prefetch(z + (k + 2 * n) * kWidth<Value>); });
    each<n>([&](auto k) { strip.template add<k>(load_wide(z + k * kWidth<Value>), limits); });
  }
  return strip;
}

// Adds rows that are examples, value by value, without those that are not finite.
template <class Value>
void add_plainly(const Lines<Value>& lines, int height, int width, const Limits<Value>& limits,
                 Tile<Value>& tile, Integer<Value>* nonfinite, int at) {
  for (int row = 0; row < height; ++row)
    for (int i = 0; i < width; ++i) {
      const Value z = lines.z[row * lines.step + i];
      const int to = at + i;
      if (z - z != 0) {
        ++nonfinite[to];
        continue;
      }
      tile.least[to] = z < tile.least[to] ? z : tile.least[to];
      tile.most[to] = z > tile.most[to] ? z : tile.most[to];
      tile.above[to] += z > limits.kink;
      tile.live[to] += z > limits.low && z < limits.high;
    }
}

// Adds rows to a tile. Given `nonfinite`, each row is an example, and those that are not finite
// are counted there instead; else they poison the tile.
template <Live live, class Value>
void add_lines(const Lines<Value>& all, Count count, int units, const Limits<Value>& limits,
               Tile<Value>& tile, Integer<Value>* nonfinite) {
  constexpr int narrow = kWidth<Value>, broad = kBroad * narrow;
  for (Count row = 0; row < count; row += kHigh) {
    const int height = static_cast<int>(count - row < kHigh ? count - row : kHigh);
    const auto add = [&]<int n>(std::integral_constant<int, n>, int at, int width) {
      const Lines<Value> lines = all.from(row, at);
      const auto strip = strip_of<n, live>(lines, height, width < n * narrow, limits);
      if (nonfinite == nullptr || strip.finite())
        strip.join(tile, at);
      else
        add_plainly(lines, height, width, limits, tile, nonfinite, at);
    };
    int at = 0;
    for (; units - at >= broad; at += broad)
      add(std::integral_constant<int, kBroad>{}, at, broad);
    for (; at < units; at += narrow)
      add(std::integral_constant<int, 1>{}, at, units - at < narrow ? units - at : narrow);
  }
}

}  // namespace
}  // namespace hinge::HINGE_LEVEL
