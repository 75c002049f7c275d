// What one batch shows of some units, and how it joins the running state, for one level.
#pragma once

#include "glance.hpp"
#include "wide.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

using Count = std::int64_t;

constexpr double kInfinity = __builtin_inf();
constexpr int kTogether = 1024;  // units whose numbers are kept in a near cache

// How a unit is known to be live: when it fires, always, or by looking between the limits.
enum class Live { fired, always, between };

template <class Value>
Live live_of(const Limits<Value>& limits) {
  if (limits.high == kInfinity && limits.low == limits.kink) return Live::fired;
  if (limits.high == kInfinity && limits.low == -kInfinity) return Live::always;
  return Live::between;
}

// Numbers of up to kTogether units side by side.
template <class Value>
struct Gathered {
  Integer<Value> fired[kTogether], always[kTogether], live[kTogether], nonfinite[kTogether];
  Count above[kTogether];
  Value least[kTogether], most[kTogether];

  void clear(int units) {
    for (int i = 0; i < units; ++i) {
      fired[i] = always[i] = live[i] = nonfinite[i] = 0;
      above[i] = 0;
      least[i] = static_cast<Value>(kInfinity), most[i] = -least[i];
    }
  }

  // Adds it all to the state of the units from `unit` on. A zero is always +0, so that the order
  // in which zeros came does not matter.
  void join(const Running& to, Count unit, int units, Count examples, Count positions) const {
    for (int i = 0; i < units; ++i) {
      const Count at = unit + i, seen = examples - nonfinite[i];
      to.seen[at] += seen;
      to.values[at] += seen * positions;
      to.nonfinite[at] += nonfinite[i];
      to.fired[at] += fired[i];
      to.always[at] += always[i];
      to.live[at] += live[i];
      to.above[at] += above[i];
      if (fired[i] > 0) to.last_fired[at] = to.step;
    }
    for (int i = 0; i < units; ++i) {
      const Count at = unit + i;
      const double low = least[i] + 0.0, high = most[i] + 0.0;
      const double top = to.anew ? -kInfinity : to.top[at];
      to.min[at] = low < to.min[at] ? low : to.min[at];
      to.max[at] = high > to.max[at] ? high : to.max[at];
      to.top[at] = high > top ? high : top;
    }
  }
};

}  // namespace
}  // namespace hinge::HINGE_LEVEL
