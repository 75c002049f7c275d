// The smooth activations that rise everywhere: those that saturate, and those that turn from one
// line to another. Each is a structure with its value and its slope, for one level. See
// elementwise.cpp for what their members mean.
#pragma once

#include "rectifiers.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

// Beyond it exp(-|z|) times anything is zero, or nothing beside one.
constexpr float kFar = 140;

// The largest |x| that needs to be told from larger ones where exp(-rate |x|) is taken.
inline float limit_for(double rate) {
  const double limit = kFar / (rate < 0 ? -rate : rate);
  return limit < kLargestFloat ? static_cast<float>(limit) : kLargestFloat;
}

// e = exp(-|z|) and s = 1 / (1 + e): the logistic function of z is s, or e s where z < 0.
struct Logistic {
  Decay decay;
  Ints below;  // where z < 0
  Floats e, s;

  Logistic(Decay decay, Ints below)
      : decay(decay), below(below), e(decay.value()), s(1.0f / (1.0f + e)) {}

  // number, or number * e where z < 0
  Floats damped(Floats number) const { return below ? decay.times(number) : number; }
  Floats value() const { return damped(s); }
  Floats slope() const { return decay.times(s * s); }
  // x times the logistic function of z, and its slope for x z' = w.
  Floats gated(Floats x) const { return damped(x * s); }
  Floats gated_slope(Floats w) const { return damped(s * fused(w, below ? s : e * s, 1.0f)); }
};

// z = rate x with a rate above zero.
inline Logistic logistic(Floats x, double rate = 1) {
  return {Decay(limited(size_of(x), limit_for(rate)), Split(rate * kLog2E)), x < 0.0f};
}

struct Sigmoid : Plain {
  static constexpr const char* name = "sigmoid";
  static constexpr Keeps keeps = Keeps::output;
  using Plain::Plain;

  Floats value(Floats x) const { return logistic(x).value(); }
  Floats slope(Floats x) const { return logistic(x).slope(); }
  Floats slope_at(Floats y) const { return y * (1.0f - y); }
};

struct Tanh : Plain {
  static constexpr const char* name = "tanh";
  static constexpr Keeps keeps = Keeps::output;
  using Plain::Plain;

  Floats value(Floats x) const {
    const Floats t = expm1(-2.0f * size_of(x));
    return with_sign_of(x, size_of(t / (t + 2.0f)));
  }
  Floats slope(Floats x) const {
    const Logistic twice = logistic(x, 2);
    return twice.decay.times(4.0f * twice.s * twice.s);
  }
  Floats slope_at(Floats y) const { return (1.0f - y) * (1.0f + y); }
};

struct Tanhshrink : Plain {
  static constexpr const char* name = "tanhshrink";
  static constexpr Keeps keeps = Keeps::input;
  using Plain::Plain;

  Floats value(Floats x) const {
    const Floats square = x * x, far = x - Tanh().value(x);
    return size_of(x) < 1.4f ? x * (square * tanhshrink_ratio(square)) : far;
  }
  Floats slope(Floats x) const {
    const Floats t = Tanh().value(x);
    return t * t;
  }
};

struct Softsign : Plain {
  static constexpr const char* name = "softsign";
  static constexpr Keeps keeps = Keeps::input;
  using Plain::Plain;

  Floats value(Floats x) const {
    const Floats size = limited(size_of(x), kLargestFloat);
    return with_sign_of(x, size / (1.0f + size));
  }
  Floats slope(Floats x) const {
    const Floats s = 1.0f / (1.0f + size_of(x));
    return s * s;
  }
};

// log(1 + exp(z)) / beta for z = beta x
struct Softplus : Plain {
  static constexpr const char* name = "softplus";
  static constexpr const char* parameters = "beta";
  static constexpr Keeps keeps = Keeps::output;
  double beta;
  float inverse;
  explicit Softplus(const double* p) : Softplus(p[0]) {}
  explicit Softplus(double beta) : beta(beta), inverse(static_cast<float>(1 / beta)) {}

  Floats value(Floats x) const {
    const Decay decay = logistic(x, beta).decay;
    return size_of(positive(x)) + decay.times(inverse * log1p_ratio(decay.value()));
  }
  Floats slope(Floats x) const { return logistic(x, beta).value(); }
  Floats slope_at(Floats y) const { return -expm1(static_cast<float>(-beta) * y); }
};

struct LogSigmoid : Plain {
  static constexpr const char* name = "logsigmoid";
  static constexpr Keeps keeps = Keeps::output;
  using Plain::Plain;

  Floats value(Floats x) const { return -Softplus(1.0).value(-x); }
  Floats slope(Floats x) const { return Sigmoid().value(-x); }
  Floats slope_at(Floats y) const { return -expm1(y); }
};

// (x + sqrt(x² + b)) / 2, which is b / 4 divided by the same at -x
struct Squareplus : Plain {
  static constexpr const char* name = "squareplus";
  static constexpr const char* parameters = "b";
  static constexpr Keeps keeps = Keeps::input;
  float b;
  explicit Squareplus(const double* p) : b(static_cast<float>(p[0])) {}

  Floats hypotenuse(Floats size) const {
    return size > 1e18f ? size : root(fused(size, size, b));
  }
  Floats value(Floats x, Floats size, Floats hypotenuse) const {
    const Floats higher = 0.5f * size + 0.5f * hypotenuse;
    return x < 0.0f ? 0.25f * b / (higher == 0.0f ? same(1) : higher) : higher;
  }
  Floats value(Floats x) const {
    const Floats size = size_of(x);
    return value(x, size, hypotenuse(size));
  }
  Floats slope(Floats x) const {
    const Floats size = limited(size_of(x), 1e30f), hypotenuse = this->hypotenuse(size);
    return value(x, size, hypotenuse) / (hypotenuse == 0.0f ? same(1) : hypotenuse);
  }
};

// above * x for x >= 0, scale * (exp(x / stretch) - 1) below
struct Exponential : Plain {
  static constexpr Keeps keeps = Keeps::output;
  double rate;
  float above, scale, squeeze, steepest;
  Exponential(double above, double scale, double stretch)
      : rate(1 / stretch), above(static_cast<float>(above)), scale(static_cast<float>(scale)),
        squeeze(static_cast<float>(rate)), steepest(static_cast<float>(scale / stretch)) {}

  Floats value(Floats x) const { return x < 0.0f ? scale * expm1(squeeze * x) : above * x; }
  Floats slope(Floats x) const {
    return x > 0.0f ? same(above) : logistic(x, rate).decay.times(same(steepest));
  }
  Floats slope_at(Floats y) const {
    return y > 0.0f ? same(above) : fused(y, squeeze, steepest);
  }
};

struct Elu : Exponential {
  static constexpr const char* name = "elu";
  static constexpr const char* parameters = "alpha";
  explicit Elu(const double* p) : Exponential(1, p[0], 1) {}
};

struct Celu : Exponential {
  static constexpr const char* name = "celu";
  static constexpr const char* parameters = "alpha";
  explicit Celu(const double* p) : Exponential(1, p[0], p[0]) {}
};

// Klambauer et al., Self-Normalizing Neural Networks, 2017.
struct Selu : Exponential {
  static constexpr const char* name = "selu";
  static constexpr double lambda = 1.0507009873554805, alpha = 1.6732632423543772;
  explicit Selu(const double*) : Exponential(lambda, lambda * alpha, 1) {}
};

}  // namespace
}  // namespace hinge::HINGE_LEVEL
