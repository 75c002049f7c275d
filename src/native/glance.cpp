// A glance at one batch, cheap enough for every step of a training run: the kernel itself.
//
// Each value is read once, in registers of its own type. How many positions of an example lie
// above the kink says whether a unit fires there, and whether everywhere. Where a value is not
// finite, its product with 0 is NaN, and so is the sum of such products.
#include "glance.hpp"

#include "glance_rows.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

constexpr int kBlock = 64;  // units whose registers stay in a near cache

// The extremes of one unit, lane by lane.
template <class Value>
struct Extremes {
  Wide<Value> least = everywhere(static_cast<Value>(kInfinity)), most = -least;
};

// One example of one unit whose positions lie side by side.
template <class Value, Live live>
struct Along {
  static constexpr int width = kWidth<Value>;

  Extremes<Value> extremes;
  Count above = 0;
  bool between = false, finite = true;

  // Nothing may be read from `end` on.
  Along(const Value* z, Count count, const Value* end, const Limits<Value>& limits,
        const Extremes<Value>& before)
      : extremes(before) {
    if (count < width)
      add_short(z, count, end, limits);
    else
      add_long(z, count, limits);
  }

  void add_short(const Value* z, Count count, const Value* end, const Limits<Value>& limits) {
    const Truths<Value> inside = first_lanes<Value>(count);
    Wide<Value> values = Lines<Value>{z, end, 0}.at_most(0);
    values = inside ? values : everywhere(*z);
    extremes.least = smaller_of(extremes.least, values);
    extremes.most = larger_of(extremes.most, values);
    finite = !some_nan(poisoned(Wide<Value>{}, values));
    count_register(values, inside, limits);
  }

  void add_long(const Value* z, Count count, const Limits<Value>& limits) {
    Strip<Value, 4, live> strip;
    Count i = 0;
    for (; i + 4 * width <= count; i += 4 * width)
      each<4>([&](auto k) { strip.template add<k>(load_wide(z + i + k * width), limits); });
    for (; i + width <= count; i += width) strip.template add<0>(load_wide(z + i), limits);
    if (i < count) {
      // The last register overlaps the one before: only its counts must not be taken twice.
      const Wide<Value> rest = load_wide(z + count - width);
      strip.least[1] = smaller_of(strip.least[1], rest);
      strip.most[1] = larger_of(strip.most[1], rest);
      strip.poison[1] = poisoned(strip.poison[1], rest);
      count_register(rest, ~first_lanes<Value>(width - (count - i)), limits);
    }
    finite = strip.finite();
    above += total(strip.above);
    if constexpr (live == Live::between) between |= total(strip.between) > 0;
    each<4>([&](auto k) {
      extremes.least = smaller_of(extremes.least, strip.least[k]);
      extremes.most = larger_of(extremes.most, strip.most[k]);
    });
  }

  // Counts one register where `meant` is true.
  void count_register(Wide<Value> values, Truths<Value> meant, const Limits<Value>& limits) {
    above += how_many((values > limits.kink) & meant);
    if constexpr (live == Live::between)
      between |= how_many((values > limits.low) & (values < limits.high)) > 0;
  }

  static Count total(Truths<Value> (&counts)[4]) {
    const auto sum = (counts[0] + counts[1]) + (counts[2] + counts[3]);
    return folded<Integer<Value>, width>(sum, [](auto a, auto b) { return a + b; });
  }
};

// Several positions that lie side by side.
template <Live live, class Value>
void look_along(const Look<Value>& look, const Limits<Value>& limits, Count first, int units,
                Gathered<Value>& out) {
  Extremes<Value> extremes[kBlock];
  const Value* end = look.z + look.examples * look.units * look.positions;
  for (Count example = 0; example < look.examples; ++example) {
    const Value* z = look.z + (example * look.units + first) * look.positions;
    for (int i = 0; i < units; ++i) {
      const Along<Value, live> shown(z + i * look.positions, look.positions, end, limits,
                                     extremes[i]);
      if (!shown.finite) {
        ++out.nonfinite[i];
        continue;
      }
      extremes[i] = shown.extremes;
      const bool fires = shown.above > 0;
      out.above[i] += shown.above;
      out.fired[i] += fires;
      out.always[i] += shown.above == look.positions;
      out.live[i] += live == Live::fired ? fires : live == Live::always || shown.between;
    }
  }
  for (int i = 0; i < units; ++i) {
    const auto min = [](auto a, auto b) { return b < a ? b : a; };
    const auto max = [](auto a, auto b) { return b > a ? b : a; };
    for (int lane = 0; lane < kWidth<Value>; ++lane) {
      out.least[i] = min(out.least[i], Value(extremes[i].least[lane]));
      out.most[i] = max(out.most[i], Value(extremes[i].most[lane]));
    }
  }
}

// One position: each row is an example.
template <Live live, class Value>
void look_down(const Look<Value>& look, const Limits<Value>& limits, Count first, int units,
               Gathered<Value>& out) {
  Tile<Value> tile;
  tile.clear(units);
  const Value* end = look.z + look.examples * look.units;
  add_lines<live>({look.z + first, end, look.units}, look.examples, units, limits, tile,
                  out.nonfinite);
  for (int i = 0; i < units; ++i) {
    out.above[i] = out.fired[i] = out.always[i] = tile.above[i];
    out.live[i] = live == Live::fired    ? tile.above[i]
                  : live == Live::always ? look.examples - out.nonfinite[i]
                                         : tile.live[i];
    out.least[i] = tile.least[i], out.most[i] = tile.most[i];
  }
}

// Adds one example.
template <Live live, class Value>
void add_example(const Tile<Value>& tile, int units, Integer<Value> positions,
                 Gathered<Value>& out) {
  for (int i = 0; i < units; ++i) {
    const Integer<Value> counted = tile.poison[i] == 0, above = counted ? tile.above[i] : 0;
    const Integer<Value> fires = above > 0;
    out.nonfinite[i] += 1 - counted;
    out.fired[i] += fires;
    out.always[i] += above == positions;
    out.live[i] += live == Live::fired    ? fires
                   : live == Live::always ? counted
                                          : counted & Integer<Value>(tile.live[i] > 0);
  }
  for (int i = 0; i < units; ++i) out.above[i] += tile.poison[i] == 0 ? tile.above[i] : 0;
  for (int i = 0; i < units; ++i) {
    const bool counted = tile.poison[i] == 0;
    const Value least = counted ? tile.least[i] : out.least[i];
    const Value most = counted ? tile.most[i] : out.most[i];
    out.least[i] = least < out.least[i] ? least : out.least[i];
    out.most[i] = most > out.most[i] ? most : out.most[i];
  }
}

// Several positions whose units lie side by side.
template <Live live, class Value>
void look_across(const Look<Value>& look, const Limits<Value>& limits, Count first, int units,
                 Gathered<Value>& out) {
  Tile<Value> tile;
  const Count size = look.units * look.positions;
  const Value* end = look.z + look.examples * size;
  for (Count example = 0; example < look.examples; ++example) {
    tile.clear(units);
    add_lines<live>({look.z + example * size + first, end, look.units}, look.positions, units,
                    limits, tile, nullptr);
    add_example<live>(tile, units, static_cast<Integer<Value>>(look.positions), out);
  }
}

template <Live live, class Value>
void glance_by(const Look<Value>& look, const Limits<Value>& limits, Count first, Count last,
               const Running& to) {
  const bool along = look.positions > 1 && !(look.units_last && look.units > 1);
  const int most = along ? kBlock : kTogether;
  Gathered<Value> gathered;
  for (Count unit = first; unit < last; unit += most) {
    const int units = static_cast<int>(last - unit < most ? last - unit : most);
    gathered.clear(units);
    if (along)
      look_along<live>(look, limits, unit, units, gathered);
    else if (look.positions == 1)
      look_down<live>(look, limits, unit, units, gathered);
    else
      look_across<live>(look, limits, unit, units, gathered);
    gathered.join(to, unit, units, look.examples, look.positions);
  }
}

template <class Value>
void glance_any(const Look<Value>& look, const Limits<Value>& limits, Count first, Count last,
                const Running& to) {
  switch (live_of(limits)) {
    case Live::fired: return glance_by<Live::fired>(look, limits, first, last, to);
    case Live::always: return glance_by<Live::always>(look, limits, first, last, to);
    case Live::between: return glance_by<Live::between>(look, limits, first, last, to);
  }
}

}  // namespace

void glance(const Look<float>& look, const Limits<float>& limits, std::int64_t first,
            std::int64_t last, const Running& to) {
  glance_any(look, limits, first, last, to);
}

void glance(const Look<double>& look, const Limits<double>& limits, std::int64_t first,
            std::int64_t last, const Running& to) {
  glance_any(look, limits, first, last, to);
}

}  // namespace hinge::HINGE_LEVEL
