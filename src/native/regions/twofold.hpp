// Numbers of twice a double's precision, as a sum of two doubles.
#pragma once

#include <cmath>

namespace hinge::regions {

// Each operation's result is within 2^-100 of the true one, relative to its operands'
// magnitudes (Joldes, Muller and Popescu, Tight and rigorous error bounds for basic building
// blocks of double-word arithmetic, 2017; their bounds are smaller).
struct Twofold {
  double high = 0, low = 0;

  static constexpr double kError = 0x1p-100;

  static Twofold sum(double a, double b) {
    const double high = a + b, back = high - a;
    return {high, (a - (high - back)) + (b - back)};
  }
  static Twofold product(double a, double b) {
    const double high = a * b;
    return {high, std::fma(a, b, -high)};
  }

  Twofold operator-() const { return {-high, -low}; }
  Twofold operator+(const Twofold& other) const {
    const Twofold large = sum(high, other.high), small = sum(low, other.low);
    const Twofold middle = sum(large.high, large.low + small.high);
    return sum(middle.high, middle.low + small.low);
  }
  Twofold operator-(const Twofold& other) const { return *this + -other; }
  Twofold operator*(const Twofold& other) const {
    const Twofold large = product(high, other.high);
    return sum(large.high, large.low + (high * other.low + low * other.high));
  }
  Twofold operator/(const Twofold& other) const {
    const double first = high / other.high;
    const Twofold left = *this - other * Twofold{first, 0};
    const double second = left.high / other.high;
    const Twofold rest = left - other * Twofold{second, 0};
    return sum(first, second) + Twofold{rest.high / other.high, 0};
  }
  bool operator<(const Twofold& other) const {
    return high < other.high || (high == other.high && low < other.low);
  }
};

inline double magnitude(const Twofold& x) { return std::abs(x.high) + std::abs(x.low); }

}  // namespace hinge::regions
