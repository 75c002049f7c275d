// The self-gated activations: the input times a smooth step of the input. Each is a structure
// with its value and its slope, for one level. See elementwise.cpp for what their members mean.
#pragma once

#include "smooth.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

struct Silu : Plain {
  static constexpr const char* name = "silu";
  static constexpr const char* parameters = "beta";
  static constexpr Keeps keeps = Keeps::input;
  Split rate;
  float beta, limit, edge;
  std::int32_t turn;  // the sign of beta
  explicit Silu(const double* p) : Silu(p[0]) {}
  explicit Silu(double beta)
      : rate((beta < 0 ? -beta : beta) * kLog2E), beta(static_cast<float>(beta)),
        limit(limit_for(beta)), edge(beta == 0 ? -kInfiniteFloat : 0),
        turn(beta < 0 ? kSign : 0) {}

  Logistic gate(Floats x, Floats size) const {
    return {Decay(size, rate), (Floats)((Ints)x ^ turn) < edge};
  }
  Floats value(Floats x) const {
    const Floats size = limited(size_of(x), limit);
    const Logistic gate = this->gate(x, size);
    return gate.gated(gate.below ? with_sign_of(x, size) : x);
  }
  Floats slope(Floats x) const {
    const Floats size = limited(size_of(x), limit);
    return gate(x, size).gated_slope(beta * with_sign_of(x, size));
  }
};

struct QuickGelu : Silu {
  static constexpr const char* name = "quick_gelu";
  static constexpr const char* parameters = "";
  explicit QuickGelu(const double*) : Silu(1.702) {}
};

// x times the logistic function of z = x (linear + cubic x²)
struct GeluTanh : Plain {
  static constexpr const char* name = "gelu_tanh";
  static constexpr Keeps keeps = Keeps::input;
  static constexpr double linear = 1.5957691216057308, cubic = 0.044715 * linear;
  static constexpr float limit = 11.5f;
  using Plain::Plain;

  // The head of the first is so short that sums with it are taken apart again without error.
  static Logistic gate(Floats x, Floats size) {
    const Split straight(linear * kLog2E, 0x1.26aecp1f), bent(cubic * kLog2E);
    const Floats square = size * size, lost = difference(size, size, square);
    const Floats head = fused(square, bent.head, straight.head);
    const Floats rest = difference(square, same(bent.head), head - straight.head);
    const Floats tail = fused(lost, bent.head, fused(square, bent.tail, straight.tail));
    return {Decay(size, Sum{head, tail + rest}), x < 0.0f};
  }
  Floats value(Floats x) const {
    const Floats size = limited(size_of(x), limit);
    const Logistic gate = this->gate(x, size);
    return gate.gated(gate.below ? with_sign_of(x, size) : x);
  }
  Floats slope(Floats x) const {
    constexpr float straight = static_cast<float>(linear), bent = static_cast<float>(3 * cubic);
    const Floats size = limited(size_of(x), limit);
    return gate(x, size).gated_slope(with_sign_of(x, size) * fused(size * size, bent, straight));
  }
};

// x Φ(x), where Φ(-a) is a slow ratio times exp(-a²/2)
struct Gelu : Plain {
  static constexpr const char* name = "gelu";
  static constexpr Keeps keeps = Keeps::input;
  static constexpr float limit = 14.6f, narrow = 1.125f;  // of the tail, of the centre
  using Plain::Plain;

  static Decay density(Floats a) { return Decay(a, product(a, Split(0.5 * kLog2E))); }

  Floats value(Floats x) const {
    const Floats a = limited(size_of(x), limit);
    const Floats below = density(a).times(NormalTail(a).times_a());
    const Floats centre = x * fused(x, normal_rise_ratio(a * a), 0.5f);
    return a < narrow ? centre : x < 0.0f ? -below : x - below;
  }
  Floats slope(Floats x) const {
    constexpr float peak = 0.3989422804014327f;  // 1 / sqrt(2π)
    const Floats a = limited(size_of(x), limit);
    const Floats centre = fused(x, normal_rise_ratio(a * a), 0.5f);
    const Decay density = this->density(a);
    const Floats below = density.times(fused(a, -peak, NormalTail(a).ratio()));
    const Floats near = fused(peak * x, density.value(), centre);
    return a < narrow ? near : x < 0.0f ? below : 1.0f - below;
  }
};

// x (w² + 2w) / (w² + 2w + 2) for w = exp(x)
struct Mish : Plain {
  static constexpr const char* name = "mish";
  static constexpr Keeps keeps = Keeps::input;
  using Plain::Plain;

  Floats value(Floats x) const {
    const Floats size = limited(size_of(x), kFar);
    const Decay decay(size, Split(kLog2E));
    const Floats e = decay.value(), twice = fused(e, 2.0f, 1.0f);
    const Ints below = x < 0.0f;
    const Floats part = below ? e + 2.0f : twice;
    const Floats whole = below ? fused(e, e + 2.0f, 2.0f) : fused(2.0f * e, e, twice);
    const Floats ratio = part / whole;
    return below ? decay.times(with_sign_of(x, size) * ratio) : x * ratio;
  }
  Floats slope(Floats x) const {
    const Floats size = limited(size_of(x), kFar), near = with_sign_of(x, size);
    const Decay decay(size, Split(kLog2E));
    const Floats e = decay.value(), twice = fused(e, 2.0f, 1.0f);
    const Ints below = x < 0.0f;
    const Floats whole = below ? fused(e, e + 2.0f, 2.0f) : fused(2.0f * e, e, twice);
    const Floats steep = 4.0f * near * (1.0f + e) * (below ? same(1) : e * e);
    const Floats part = fused(below ? e + 2.0f : twice, whole, steep) / (whole * whole);
    return below ? decay.times(part) : part;
  }
};

}  // namespace
}  // namespace hinge::HINGE_LEVEL
