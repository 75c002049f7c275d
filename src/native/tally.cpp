// Counts and sums per unit in one pass over the memory: the kernel itself.
//
// Everything is summed in double, in an order that depends on the shape alone: neither on
// the number of threads nor on the level. An example that is not finite at some position of
// a unit is left out of that unit. It shows in the example's sums, which are then not finite
// either, so that finite data are tested once per example or group, not once per value.
#include "tally.hpp"

#include "tile.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

constexpr int kLanes = 8;  // sums that run side by side along one row of positions
constexpr double kLargest = __DBL_MAX__;

// The values of one example of one unit: `count` of them, `step` apart.
template <class Value>
struct Values {
  const Value *z, *h;
  Count count, step;

  bool all_finite() const {
    for (Count i = 0; i < count; ++i)
      if (!finite(z[i * step]) || !finite(h[i * step])) return false;
    return true;
  }
  bool some_between(Value low, Value high) const {
    for (Count i = 0; i < count; ++i)
      if (z[i * step] > low && z[i * step] < high) return true;
    return false;
  }
};

void clear(const Totals& out, Count unit) {
  out.fired[unit] = out.always[unit] = out.live[unit] = 0;
  out.zeros[unit] = out.nonfinite[unit] = 0;
  out.min[unit] = kInfinity, out.max[unit] = -kInfinity;
  out.total[unit] = out.squares[unit] = out.magnitude[unit] = 0;
}

// A sum of finite numbers that overflowed becomes the largest double.
double bounded(double sum) {
  return sum > kLargest ? kLargest : sum < -kLargest ? -kLargest : sum == sum ? sum : 0;
}

void finish(const Totals& out, Count unit, Count examples, Count positions) {
  out.seen[unit] = examples - out.nonfinite[unit];
  out.values[unit] = out.seen[unit] * positions;
  out.total[unit] = bounded(out.total[unit]);
  out.squares[unit] = bounded(out.squares[unit]);
  out.magnitude[unit] = bounded(out.magnitude[unit]);
}

template <class Value>
bool is_live(const Seen<Value>& seen, const Values<Value>& values, const Limits<Value>& limits) {
  if (!(seen.max > limits.low && seen.min < limits.high)) return false;
  if (seen.max < limits.high || seen.min > limits.low) return true;
  return values.some_between(limits.low, limits.high);
}

// Adds one example of one unit, unless it is not finite.
template <class Value>
inline void settle(const Seen<Value>& seen, const Values<Value>& values,
                   const Limits<Value>& limits, const Totals& out, Count unit) {
  if (!finite(seen.total + seen.squares + seen.magnitude) && !values.all_finite()) {
    ++out.nonfinite[unit];
    return;
  }
  out.fired[unit] += seen.max > limits.kink;
  out.always[unit] += seen.min > limits.kink;
  out.live[unit] += is_live(seen, values, limits);
  out.zeros[unit] += seen.zeros;
  out.min[unit] = seen.min < out.min[unit] ? seen.min : out.min[unit];
  out.max[unit] = seen.max > out.max[unit] ? seen.max : out.max[unit];
  out.total[unit] += seen.total;
  out.squares[unit] += seen.squares;
  out.magnitude[unit] += seen.magnitude;
}

// One example of one unit whose positions lie side by side.
template <class Value>
Seen<Value> along(const Values<Value>& values) {
  constexpr int lanes = Shape<Value>::lanes;
  Seen<Value> seen;
  const Count whole = values.count - values.count % kLanes;
  if (whole > 0) {
    Sums<Value, kLanes / lanes, Counting::nothing> sums;
    for (Count i = 0; i < whole; i += kLanes) sums.add(values.z + i, values.h + i, {});
    const auto add = [](auto a, auto b) { return a + b; };
    const auto min = [](auto a, auto b) { return smaller(a, b); };
    const auto max = [](auto a, auto b) { return larger(a, b); };
    seen.total = folded<double, kDoubles>(sums.total, add);
    seen.squares = folded<double, kDoubles>(sums.squares, add);
    seen.magnitude = folded<double, kDoubles>(sums.magnitude, add);
    seen.min = folded<Value, lanes>(sums.min, min);
    seen.max = folded<Value, lanes>(sums.max, max);
    seen.zeros = folded<typename Shape<Value>::Integer, lanes>(sums.zeros, add);
  }
  for (Count i = whole; i < values.count; ++i) seen.add(values.z[i], values.h[i]);
  return seen;
}

// One position: each row is an example.
template <Counting counting, class Value>
void tally_dense(const Batch<Value>& batch, const Limits<Value>& limits, Count first, Count last,
                 const Totals& out) {
  const Rows<Value> all{batch.z, batch.h, batch.units};
  Tile<Value> tile;
  for (Count unit = first; unit < last; unit += kTile) {
    const int units = static_cast<int>(last - unit < kTile ? last - unit : kTile);
    tile.clear(units);
    add_rows<counting>(all.from(0, unit), batch.examples, units, limits, tile);
    const auto& live = counting == Counting::fired ? tile.fired : tile.live;
    for (int i = 0; i < units; ++i) {
      out.fired[unit + i] = out.always[unit + i] = tile.fired[i];
      out.live[unit + i] = live[i];
      out.zeros[unit + i] = tile.zeros[i];
      out.nonfinite[unit + i] = tile.nonfinite[i];
      out.min[unit + i] = tile.min[i];
      out.max[unit + i] = tile.max[i];
      out.total[unit + i] = tile.total[i];
      out.squares[unit + i] = tile.squares[i];
      out.magnitude[unit + i] = tile.magnitude[i];
    }
  }
}

// Adds one example of a tile of units. Without branches where all is plain.
template <class Value>
void settle_tile(const Tile<Value>& tile, int units, const Rows<Value>& rows, Count positions,
                 const Limits<Value>& limits, const Totals& out, Count unit) {
  Count odd = 0;
  for (int i = 0; i < units; ++i)
    odd += !finite(tile.total[i] + tile.squares[i] + tile.magnitude[i]);
  typename Tile<Value>::Integer unsure = 0;
  for (int i = 0; i < units; ++i)
    unsure += (tile.max[i] > limits.low) & (tile.min[i] < limits.high) &
              !((tile.max[i] < limits.high) | (tile.min[i] > limits.low));
  if (odd + unsure > 0) {
    for (int i = 0; i < units; ++i) {
      const Seen<Value> seen{tile.total[i], tile.squares[i], tile.magnitude[i],
                             tile.min[i],   tile.max[i],     tile.zeros[i]};
      settle(seen, {rows.z + i, rows.h + i, positions, rows.step}, limits, out, unit + i);
    }
    return;
  }
  for (int i = 0; i < units; ++i) {
    out.fired[unit + i] += tile.max[i] > limits.kink;
    out.always[unit + i] += tile.min[i] > limits.kink;
  }
  for (int i = 0; i < units; ++i)
    out.live[unit + i] += (tile.max[i] > limits.low) & (tile.min[i] < limits.high);
  for (int i = 0; i < units; ++i) out.zeros[unit + i] += tile.zeros[i];
  for (int i = 0; i < units; ++i) {
    const double min = tile.min[i], max = tile.max[i];
    out.min[unit + i] = min < out.min[unit + i] ? min : out.min[unit + i];
    out.max[unit + i] = max > out.max[unit + i] ? max : out.max[unit + i];
  }
  for (int i = 0; i < units; ++i) {
    out.total[unit + i] += tile.total[i];
    out.squares[unit + i] += tile.squares[i];
    out.magnitude[unit + i] += tile.magnitude[i];
  }
}

// Several positions whose units lie side by side.
template <class Value>
void tally_tokens(const Batch<Value>& batch, const Limits<Value>& limits, Count first, Count last,
                  const Totals& out) {
  const Count size = batch.units * batch.positions;
  Tile<Value> tile;
  for (Count unit = first; unit < last; ++unit) clear(out, unit);
  for (Count unit = first; unit < last; unit += kTile) {
    const int units = static_cast<int>(last - unit < kTile ? last - unit : kTile);
    for (Count example = 0; example < batch.examples; ++example) {
      const Count at = example * size + unit;
      const Rows<Value> rows{batch.z + at, batch.h + at, batch.units};
      tile.clear(units);
      add_rows<Counting::nothing>(rows, batch.positions, units, limits, tile);
      settle_tile(tile, units, rows, batch.positions, limits, out, unit);
    }
  }
}

// Several positions that lie side by side.
template <class Value>
void tally_images(const Batch<Value>& batch, const Limits<Value>& limits, Count first, Count last,
                  const Totals& out) {
  for (Count unit = first; unit < last; ++unit) clear(out, unit);
  for (Count example = 0; example < batch.examples; ++example)
    for (Count unit = first; unit < last; ++unit) {
      const Count at = (example * batch.units + unit) * batch.positions;
      const Values<Value> values{batch.z + at, batch.h + at, batch.positions, 1};
      settle(along(values), values, limits, out, unit);
    }
}

template <class Value>
void tally_any(const Batch<Value>& batch, const Limits<Value>& limits, Count first, Count last,
               const Totals& out) {
  if (batch.positions == 1 && limits.low == limits.kink && limits.high == kInfinity)
    tally_dense<Counting::fired>(batch, limits, first, last, out);
  else if (batch.positions == 1)
    tally_dense<Counting::fired_and_live>(batch, limits, first, last, out);
  else if (batch.units_last && batch.units > 1)
    tally_tokens(batch, limits, first, last, out);
  else
    tally_images(batch, limits, first, last, out);
  for (Count unit = first; unit < last; ++unit)
    finish(out, unit, batch.examples, batch.positions);
}

}  // namespace

void tally(const Batch<float>& batch, const Limits<float>& limits, Count first, Count last,
           const Totals& out) {
  tally_any(batch, limits, first, last, out);
}

void tally(const Batch<double>& batch, const Limits<double>& limits, Count first, Count last,
           const Totals& out) {
  tally_any(batch, limits, first, last, out);
}

}  // namespace hinge::HINGE_LEVEL
