// Sums of rows of units that lie side by side, for one level.
#pragma once

#include "sums.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

// These are the same at every level, and so are the sums.
constexpr int kNarrow = 8;   // units that are reduced together at least
constexpr int kGroup = 8;    // rows reduced in registers between two visits to the tile
constexpr int kTile = 1024;  // units whose sums are kept in a near cache

// Units that the registers of this level can reduce together.
template <class Value>
constexpr int kWide = kDoubles == 2 ? kNarrow : (kDoubles == 8 ? 4 : 2) * Shape<Value>::lanes;

// Sums of up to kTile units side by side, kept in memory between groups of rows.
template <class Value>
struct Tile {
  using Integer = typename Shape<Value>::Integer;

  double total[kTile], squares[kTile], magnitude[kTile];
  Value min[kTile], max[kTile];
  Integer zeros[kTile], fired[kTile], live[kTile], nonfinite[kTile];

  void clear(int units) {
    for (int i = 0; i < kTile && i < units + kNarrow; ++i) {
      total[i] = squares[i] = magnitude[i] = 0;
      min[i] = static_cast<Value>(kInfinity), max[i] = -min[i];
      zeros[i] = fired[i] = live[i] = nonfinite[i] = 0;
    }
  }

  template <int n, Counting counting>
  void add(int at, const Sums<Value, n, counting>& sums) {
    each<n * kParts<Value>>([&](auto k) {
      const int to = at + k * kDoubles;
      store<double>(total + to, load(total + to) + sums.total[k]);
      store<double>(squares + to, load(squares + to) + sums.squares[k]);
      store<double>(magnitude + to, load(magnitude + to) + sums.magnitude[k]);
    });
    each<n>([&](auto k) {
      const int to = at + k * Shape<Value>::lanes;
      store<Value>(min + to, smaller(load(min + to), sums.min[k]));
      store<Value>(max + to, larger(load(max + to), sums.max[k]));
      store_sum(zeros + to, sums.zeros[k]);
      if constexpr (counting != Counting::nothing) store_sum(fired + to, sums.fired[k]);
      if constexpr (counting == Counting::fired_and_live) store_sum(live + to, sums.live[k]);
    });
  }

  static void store_sum(Integer* to, Masks<Value> counts) {
    Masks<Value> old;
    __builtin_memcpy(&old, to, sizeof old);
    old += counts;
    __builtin_memcpy(to, &old, sizeof old);
  }
};

// Rows of units that lie side by side, `step` apart.
template <class Value>
struct Rows {
  const Value *z, *h;
  Count step;

  Rows from(Count row, Count unit) const {
    const Count offset = row * step + unit;
    return {z + offset, h + offset, step};
  }
  // Asks the memory for units to come: no processor guesses so many streams itself.
  void fetch(int first, int count) const {
    constexpr int line = 64 / sizeof(Value);
    for (int i = first; i < first + count; i += line) {
      __builtin_prefetch(z + i);
      __builtin_prefetch(h + i);
    }
  }
};

// Sums of a few rows of `side` units. Where only the first `width` are meant, and the others may
// not be there, the rows are filled up.
template <int side, Counting counting, class Value>
auto across(const Rows<Value>& rows, int height, int width, const Limits<Value>& limits) {
  Sums<Value, side / Shape<Value>::lanes, counting> sums;
  if (width == side) {
    for (int r = 0; r < height; ++r) {
      const Rows<Value> row = rows.from(r, 0);
      row.fetch(2 * side, side);
      sums.add(row.z, row.h, limits);
    }
    return sums;
  }
  Value z[side] = {}, h[side] = {};
  for (int r = 0; r < height; ++r) {
    for (int i = 0; i < width; ++i)
      z[i] = rows.z[r * rows.step + i], h[i] = rows.h[r * rows.step + i];
    sums.add(z, h, limits);
  }
  return sums;
}

// Adds rows that are examples, value by value, without those that are not finite.
template <class Value>
void add_finite(const Rows<Value>& rows, int height, int width, const Limits<Value>& limits,
                Tile<Value>& tile, int at) {
  for (int r = 0; r < height; ++r)
    for (int i = 0; i < width; ++i) {
      const Value z = *rows.from(r, i).z, h = *rows.from(r, i).h;
      if (!finite(z) || !finite(h)) {
        ++tile.nonfinite[at + i];
        continue;
      }
      Seen<Value> seen;
      seen.add(z, h);
      tile.total[at + i] += seen.total;
      tile.squares[at + i] += seen.squares;
      tile.magnitude[at + i] += seen.magnitude;
      tile.min[at + i] = smaller(tile.min[at + i], z);
      tile.max[at + i] = larger(tile.max[at + i], z);
      tile.zeros[at + i] += seen.zeros;
      tile.fired[at + i] += z > limits.kink;
      tile.live[at + i] += z > limits.low && z < limits.high;
    }
}

// Adds rows of `width` units, or returns false because an example among them is not finite.
template <int side, Counting counting, class Value>
bool added(const Rows<Value>& rows, int height, int width, const Limits<Value>& limits,
           Tile<Value>& tile, int at) {
  const auto sums = across<side, counting>(rows, height, width, limits);
  if (counting != Counting::nothing && !sums.finite()) return false;
  tile.add(at, sums);
  return true;
}

template <Counting counting, class Value>
void add_rows(const Rows<Value>& all, Count count, int units, const Limits<Value>& limits,
              Tile<Value>& tile) {
  constexpr int wide = kWide<Value>;
  for (Count row = 0; row < count; row += kGroup) {
    const int height = static_cast<int>(count - row < kGroup ? count - row : kGroup);
    int next = 0;
    while (next < units) {
      if (units - next >= wide &&
          added<wide, counting>(all.from(row, next), height, wide, limits, tile, next)) {
        next += wide;
        continue;
      }
      const int end = units - next < wide ? units : next + wide;
      for (; next < end; next += kNarrow) {
        const int width = end - next < kNarrow ? end - next : kNarrow;
        const Rows<Value> rows = all.from(row, next);
        if (!added<kNarrow, counting>(rows, height, width, limits, tile, next))
          add_finite(rows, height, width, limits, tile, next);
      }
    }
  }
}

}  // namespace
}  // namespace hinge::HINGE_LEVEL
