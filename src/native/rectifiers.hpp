// The activations that are made of lines, and the squared ReLU: each one a structure with its
// value and its slope, for one level. See elementwise.cpp for what their members mean.
#pragma once

#include "elementwise.hpp"
#include "mathematics.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

// Of activations without parameters, and of those whose parameters are no kinks.
struct Plain {
  static constexpr const char* parameters = "";
  static constexpr bool at_kinks = false;
  Plain() = default;
  explicit Plain(const double*) {}
};

struct Relu : Plain {
  static constexpr const char* name = "relu";
  static constexpr Keeps keeps = Keeps::output;
  using Plain::Plain;

  Floats value(Floats x) const { return positive(x); }
  Floats slope(Floats x) const { return indicator(x > 0.0f, x); }
  Floats slope_at(Floats y) const { return slope(y); }
};

struct LeakyRelu : Plain {
  static constexpr const char* name = "leaky_relu";
  static constexpr const char* parameters = "negative_slope";
  static constexpr Keeps keeps = Keeps::output;
  float below, lowest;
  // Times a slope of zero, infinity is zero.
  explicit LeakyRelu(const double* p)
      : below(static_cast<float>(p[0])), lowest(below == 0 ? -kLargestFloat : -kInfiniteFloat) {}

  Floats value(Floats x) const { return x > 0.0f ? x : below * larger(x, same(lowest)); }
  Floats slope(Floats x) const { return x > 0.0f ? same(1) : x == x ? same(below) : x; }
  Floats slope_at(Floats y) const { return slope(y); }
};

// The identity between two kinks, constant outside.
struct Clip : Plain {
  static constexpr Keeps keeps = Keeps::output;
  static constexpr bool at_kinks = true;
  float low, high;
  Clip(double low, double high) : low(static_cast<float>(low)), high(static_cast<float>(high)) {}

  Floats value(Floats x) const {
    x = x < low ? same(low) : x;
    return x > high ? same(high) : x;
  }
  Floats slope(Floats x) const { return indicator((x > low) & (x < high), x); }
  Floats slope_at(Floats y) const { return slope(y); }
};

struct Relu6 : Clip {
  static constexpr const char* name = "relu6";
  explicit Relu6(const double*) : Clip(0, 6) {}
};

struct ReluN : Clip {
  static constexpr const char* name = "relu_n";
  static constexpr const char* parameters = "n";
  explicit ReluN(const double* p) : Clip(0, p[0]) {}
};

struct Hardtanh : Clip {
  static constexpr const char* name = "hardtanh";
  static constexpr const char* parameters = "min_val max_val";
  explicit Hardtanh(const double* p) : Clip(p[0], p[1]) {}
};

struct ShiftedRelu : Clip {
  static constexpr const char* name = "shifted_relu";
  static constexpr const char* parameters = "shift";
  explicit ShiftedRelu(const double* p) : Clip(0 - p[0], kInfiniteFloat) {}

  Floats slope(Floats x) const { return indicator(x > low, x); }
  Floats slope_at(Floats y) const { return slope(y); }
};

struct ThresholdedRelu : Plain {
  static constexpr const char* name = "thresholded_relu";
  static constexpr const char* parameters = "threshold";
  static constexpr Keeps keeps = Keeps::output;
  static constexpr bool at_kinks = true;
  float threshold;
  explicit ThresholdedRelu(const double* p) : threshold(static_cast<float>(p[0])) {}

  Floats value(Floats x) const {
    return (x <= threshold) & (x != 0.0f) ? same(0) : x;  // a zero keeps its sign
  }
  Floats slope(Floats x) const { return indicator(x > threshold, x); }
  Floats slope_at(Floats y) const { return indicator(y > 0.0f, y); }
};

// The shrinking functions are odd: what becomes zero keeps its sign.
struct Hardshrink : Plain {
  static constexpr const char* name = "hardshrink";
  static constexpr const char* parameters = "lambd";
  static constexpr Keeps keeps = Keeps::output;
  static constexpr bool at_kinks = true;
  float lambda;
  explicit Hardshrink(const double* p) : lambda(static_cast<float>(p[0])) {}

  Floats value(Floats x) const {
    return size_of(x) <= lambda ? with_sign_of(x, same(0)) : x;
  }
  Floats slope(Floats x) const { return indicator(size_of(x) > lambda, x); }
  Floats slope_at(Floats y) const { return indicator(size_of(y) > 0.0f, y); }
};

struct Softshrink : Hardshrink {
  static constexpr const char* name = "softshrink";
  using Hardshrink::Hardshrink;

  Floats value(Floats x) const {
    const Floats rest = size_of(x) - lambda;
    return with_sign_of(x, positive(rest));
  }
};

struct Abs : Plain {
  static constexpr const char* name = "abs";
  static constexpr Keeps keeps = Keeps::input;
  using Plain::Plain;

  Floats value(Floats x) const { return size_of(x); }
  Floats slope(Floats x) const { return x > 0.0f ? same(1) : x < 0.0f ? same(-1) : x; }
};

struct Hardsigmoid : Plain {
  static constexpr const char* name = "hardsigmoid";
  static constexpr Keeps keeps = Keeps::bits;
  static constexpr float sixth = 1.0f / 6;
  using Plain::Plain;

  Floats value(Floats x) const {
    const Floats rise = positive(x + 3.0f);
    return sixth * (rise > 6.0f ? same(6) : rise);
  }
  Floats slope(Floats x) const { return sixth * indicator(size_of(x) < 3.0f, x); }
  Ints live(Floats x) const { return size_of(x) < 3.0f; }
  float slope_where_live() const { return sixth; }
};

struct Hardswish : Plain {
  static constexpr const char* name = "hardswish";
  static constexpr Keeps keeps = Keeps::input;
  using Plain::Plain;

  Floats value(Floats x) const {
    return (x < -3.0f ? same(-3) : x) * Hardsigmoid().value(x);  // first the factor below 1
  }
  Floats slope(Floats x) const {
    const Floats inside = fused(x, 1.0f / 3, 0.5f);
    return x <= -3.0f ? same(0) : x >= 3.0f ? same(1) : inside;
  }
};

struct SquaredRelu : Plain {
  static constexpr const char* name = "squared_relu";
  static constexpr Keeps keeps = Keeps::output;
  using Plain::Plain;

  Floats value(Floats x) const {
    const Floats rise = positive(x);
    return rise * size_of(rise);  // a zero keeps its sign
  }
  Floats slope(Floats x) const { return 2.0f * size_of(positive(x)); }
  Floats slope_at(Floats y) const { return 2.0f * root(size_of(y)); }
};

}  // namespace
}  // namespace hinge::HINGE_LEVEL
