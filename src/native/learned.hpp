// Functions with learned parameters, a register of values at a time, for one level.
//
// Each names the number of its parameters, p[0], p[1], ..., and gives its value, its derivative
// at x (NaN where x is NaN), and its derivatives in the parameters.
#pragma once

#include "lines.hpp"
#include "smooth.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

template <int count>
struct Derivatives {
  Floats x, parameters[count];
};

// p[0] is the slope for x <= 0.
struct Prelu {
  static constexpr int parameters = 1;
  explicit Prelu(float) {}

  Floats value(Floats x, const Floats (&p)[1]) const {
    return x > 0 ? x : along_line_below_zero(p[0], x);
  }
  Derivatives<1> derivatives(Floats x, const Floats (&p)[1]) const {
    const Floats at_most_zero = x <= 0 ? p[0] : x;  // NaN stays
    return {x > 0 ? same(1) : at_most_zero, {x > 0 ? Floats{} : x}};
  }
};

// x times the logistic function of p[0] x.
struct Swish {
  static constexpr int parameters = 1;
  explicit Swish(float) {}

  Floats value(Floats x, const Floats (&p)[1]) const {
    const Gate gate(x, p[0]);
    return gate.logistic.gated(gate.logistic.below ? gate.near : x);
  }
  Derivatives<1> derivatives(Floats x, const Floats (&p)[1]) const {
    const Gate gate(x, p[0]);
    const Floats half = gate.near * gate.logistic.s;
    return {gate.logistic.gated_slope(p[0] * gate.near), {gate.logistic.decay.times(half) * half}};
  }

 private:
  // `near` is x, or something as good where beta x is far from zero.
  struct Gate {
    Floats near;
    Logistic logistic;

    Gate(Floats x, Floats beta)
        : near(with_sign_of(x, size(x, beta))),
          logistic(Decay(size_of(near), product(size_of(beta), Split(kLog2E))),
                   (with_sign_of(beta, same(1)) * x < 0) & (beta != 0)) {}

    static Floats size(Floats x, Floats beta) {
      const Floats limit = smaller(kFar / size_of(beta), same(kLargestFloat));
      return smaller(size_of(x), limit);
    }
  };
};

// Scale p[0], bias p[1].
struct StarRelu {
  static constexpr int parameters = 2;
  explicit StarRelu(float) {}

  Floats value(Floats x, const Floats (&p)[2]) const {
    const Floats rectified = positive(x);
    const Floats scaled = along_line(p[0], rectified);
    return along_line(scaled, rectified) + p[1];
  }
  Derivatives<2> derivatives(Floats x, const Floats (&p)[2]) const {
    const Floats rectified = positive(x);
    return {2 * along_line(p[0], rectified), {rectified * rectified, same(1)}};
  }
};

// Thresholds p[0] < p[2] and the slopes p[1] and p[3] at and beyond them; 1 between them.
struct Srelu {
  static constexpr int parameters = 4;
  explicit Srelu(float) {}

  Floats value(Floats x, const Floats (&p)[4]) const {
    const Floats left = p[0] + along_line(p[1], x - p[0]);
    const Floats right = p[2] + along_line(p[3], x - p[2]);
    const Floats not_right = x <= p[0] ? left : x;
    return x >= p[2] ? right : not_right;
  }
  Derivatives<4> derivatives(Floats x, const Floats (&p)[4]) const {
    const Floats between = x == x ? same(1) : x;
    const Floats not_right = x <= p[0] ? p[1] : between;
    return {x >= p[2] ? p[3] : not_right,
            {left(x, p, 1 - p[1]), left(x, p, x - p[0]), right(x, p, 1 - p[3]),
             right(x, p, x - p[2])}};
  }

 private:
  static Floats left(Floats x, const Floats (&p)[4], Floats value) {
    const Floats not_right = x <= p[0] ? value : Floats{};
    return x >= p[2] ? Floats{} : not_right;
  }
  static Floats right(Floats x, const Floats (&p)[4], Floats value) {
    return x >= p[2] ? value : Floats{};
  }
};

// Threshold p[0]. Its derivative is estimated with a rectangle of the given width around it.
class JumpRelu {
 public:
  static constexpr int parameters = 1;
  explicit JumpRelu(float bandwidth)
      : rate_(same(-1 / bandwidth)), half_(same(bandwidth / 2)) {}

  Floats value(Floats x, const Floats (&p)[1]) const { return x <= p[0] ? Floats{} : x; }
  Derivatives<1> derivatives(Floats x, const Floats (&p)[1]) const {
    const Floats distance = x - p[0];
    const Floats right = distance < half_ ? p[0] * rate_ : Floats{};
    return {indicator(x > p[0], x), {distance > -half_ ? right : Floats{}}};
  }

 private:
  Floats rate_, half_;
};

}  // namespace
}  // namespace hinge::HINGE_LEVEL
