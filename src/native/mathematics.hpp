// Registers of floats as wide as the level has them, and the elementary functions of them.
//
// Included by kernels only, once per level; see lanes.hpp. The polynomials are our own minimax
// fits (Remez exchange on the relative error, each coefficient rounded to float before the
// next ones are fitted again); the error that each reaches stands beside it.
#pragma once

#include "lanes.hpp"

#if !defined(__AVX2__) && defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace hinge::HINGE_LEVEL {
namespace {

constexpr int kFloats = 2 * kDoubles;  // in a register
using Floats = VectorOf<float, kFloats>::type;
using Ints = VectorOf<std::int32_t, kFloats>::type;

constexpr float kLargestFloat = __FLT_MAX__;
constexpr float kInfiniteFloat = __builtin_inff();
constexpr std::int32_t kSign = static_cast<std::int32_t>(0x80000000u);

template <class Vector>
inline Vector read(const void* from) {
  Vector vector;
  __builtin_memcpy(&vector, from, sizeof vector);
  return vector;
}

template <class Vector>
inline void write(void* to, Vector vector) {
  __builtin_memcpy(to, &vector, sizeof vector);
}

inline Floats same(float value) { return value - Floats{}; }

// a * b + c, rounded once where the level has an instruction for it.
inline Floats fused(Floats a, Floats b, Floats c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}
inline Floats fused(Floats a, Floats b, float c) { return fused(a, b, same(c)); }
inline Floats fused(Floats a, float b, Floats c) { return fused(a, same(b), c); }
inline Floats fused(Floats a, float b, float c) { return fused(a, same(b), same(c)); }

// a * b - c where the two nearly cancel, as if rounded once: so also what a product lost when it
// was rounded, c = a * b.
inline Floats difference(Floats a, Floats b, Floats c) {
#if defined(__AVX2__)
  return fused(a, b, -c);
#else
  // Halves of 12 bits, whose products are exact (Dekker, A floating-point technique for
  // extending the available precision, 1971).
  constexpr std::int32_t upper = static_cast<std::int32_t>(0xfffff000u);
  const Floats head = (Floats)((Ints)a & upper), tail = a - head;
  const Floats other = (Floats)((Ints)b & upper), rest = b - other, product = a * b;
  const Floats lost = ((head * other - product) + head * rest + tail * other) + tail * rest;
  return (product - c) + lost;
#endif
}

inline Floats root(Floats x) {
#if defined(__AVX512F__)
  return _mm512_sqrt_ps(x);
#elif defined(__AVX2__)
  return _mm256_sqrt_ps(x);
#elif defined(__SSE2__)
  return _mm_sqrt_ps(x);
#else
  for (int i = 0; i < kFloats; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

inline Floats size_of(Floats x) { return (Floats)((Ints)x & ~kSign); }
inline Floats with_sign_of(Floats x, Floats size) {
  return (Floats)((Ints)size | ((Ints)x & kSign));
}

// At most `limit`; NaN stays.
inline Floats limited(Floats x, float limit) { return x > limit ? same(limit) : x; }

// Bit i is set where lane i is: all the bits of a lane are alike.
inline std::int32_t bits_of(Ints mask) {
#if defined(__AVX512F__)
  return _mm512_movepi32_mask((__m512i)mask);
#elif defined(__AVX2__)
  return _mm256_movemask_ps((__m256)mask);
#elif defined(__SSE2__)
  return _mm_movemask_ps((__m128)mask);
#else
  std::int32_t bits = 0;
  for (int i = 0; i < kFloats; ++i) bits |= (mask[i] & 1) << i;
  return bits;
#endif
}

// max(x, 0), with the sign of a zero; NaN stays.
inline Floats positive(Floats x) { return x < 0.0f ? same(0) : x; }

// 1 where `here`, 0 elsewhere, NaN where x is NaN.
inline Floats indicator(Ints here, Floats x) {
  return here ? same(1) : x == x ? same(0) : x;
}

// A slope of zero lets nothing through: neither infinity nor NaN.
inline Floats pulled(Floats gradient, Floats slope) {
  return slope == 0.0f ? same(0) : gradient * slope;
}

template <int n>
inline Floats polynomial(Floats x, const float (&coefficients)[n]) {
  Floats sum = same(coefficients[n - 1]);
  each<n - 1>([&](auto k) { sum = fused(sum, x, coefficients[n - 2 - k]); });
  return sum;
}

// A number in two parts: `tail` is what `head` lost by rounding, as far as it matters.
struct Split {
  float head, tail;
  explicit Split(double value) : Split(value, static_cast<float>(value)) {}
  Split(double value, float head) : head(head), tail(static_cast<float>(value - head)) {}
};
struct Sum {
  Floats head, tail;
};

inline Sum product(Floats x, Split factor) {
  const Floats head = x * factor.head;
  return {head, fused(x, factor.tail, difference(x, same(factor.head), head))};
}

// Adding it to a number below 2^22 rounds that to an integer.
constexpr float kRounder = 0x1.8p23f;
constexpr double kLog2E = 1.4426950408889634;

inline Ints integers(Floats whole) { return __builtin_convertvector(whole, Ints); }
// 2^k for -127 < k < 128
inline Floats power_of_two(Ints k) { return (Floats)((k + 127) << 23); }

// number * 2^k for -252 <= k <= 0, rounded once also where that is subnormal.
inline Floats scaled(Floats number, Floats k) {
#if defined(__AVX512F__)
  return _mm512_scalef_ps(number, k);
#else
  const Ints all = integers(k), half = all >> 1;
  return number * power_of_two(half) * power_of_two(all - half);
#endif
}

// exp(-size * rate) for size * rate <= 216, its binary logarithm being given: 2^-(size * rate).
// Mantissa and power are kept apart: a factor may lift a subnormal exponential to a normal
// result, which must not have lost its digits by then.
struct Decay {
  Floats mantissa, power;

  Decay(Floats size, Sum rate) {
    power = fused(size, -rate.head, kRounder) - kRounder;
    const Floats rest = fused(size, -rate.tail, difference(size, -rate.head, power));
    mantissa = fused(rest, power_ratio(rest), 1.0f);
  }
  Decay(Floats size, Split rate) : Decay(size, Sum{same(rate.head), same(rate.tail)}) {}

  // For use beside a number that is not small: below 2^-126 it may be anything as small.
  Floats value() const {
#if defined(__AVX512F__)
    return _mm512_scalef_ps(mantissa, power);
#else
    return mantissa * power_of_two(integers(power < -126.0f ? same(-126) : power));
#endif
  }
  Floats times(Floats factor) const { return scaled(mantissa * factor, power); }

  // (2^f - 1) / f for |f| <= 0.501, with degree 5; as a part of 2^f the error is 2^-26.4.
  static Floats power_ratio(Floats f) {
    constexpr float q[] = {0.693147242f, 0.240226552f, 0.0555027276f,
                           0.00961706135f, 0.001341998f, 0.000158379582f};
    return polynomial(f, q);
  }
};

// exp(x) - 1 for x <= 0, by x = k ln 2 + r. Below -20 it is -1. Its polynomial, for
// |r| <= ln 2 / 2, is exp(r) - 1 with degree 6; as a part of exp(r) the error is 2^-27.7.
inline Floats expm1(Floats x) {
  // The head is so short that its products with k are exact without a fused operation.
  constexpr float log2_e = static_cast<float>(kLog2E);
  constexpr float ln2_head = 0x1.62e4p-1f, ln2_tail = 0x1.7f7d1cp-20f;
  constexpr float q[] = {0.5f, 0.166664883f, 0.041665554f, 0.0083722882f, 0.00140355981f};
  x = x < -20.0f ? same(-20) : x;
  const Floats k = fused(x, log2_e, kRounder) - kRounder, power = power_of_two(integers(k));
  const Floats r = fused(k, -ln2_tail, fused(k, -ln2_head, x));
  return fused(power, fused(r * r, polynomial(r, q), r), power - 1.0f);
}

// log(1 + e) / e for 0 <= e <= 1, with degree 9 and an error of 2^-27.5.
inline Floats log1p_ratio(Floats e) {
  constexpr float p[] = {1.0f,         -0.499999315f,  0.333304644f, -0.24958019f,
                         0.196921021f, -0.153448805f,  0.106611282f, -0.057457231f,
                         0.0200862419f, -0.00329046859f};
  return polynomial(e, p);
}

// (Φ(x) - 1/2) / x as a polynomial in x² of degree 5, for |x| <= 1.125; Φ is the standard normal
// distribution function. The error is 2^-25.
inline Floats normal_rise_ratio(Floats square) {
  constexpr float p[] = {0.398942292f,   -0.0664907694f, 0.00997568574f,
                         -0.00119113049f, 0.00011745649f, -8.7911385e-06f};
  return polynomial(square, p);
}

// The normal tail: r = exp(a²/2) Φ(-a) for 1.12 <= a <= 14.6, by t = 2.5 / (a + 2.5). The
// polynomial in t of degree 8 is a r / (1 - t), with an error of 2^-27. Made from 1 - t, which is
// a t / 2.5, the product a r takes little notice of the rounding of t.
struct NormalTail {
  Floats t, slow;

  explicit NormalTail(Floats a) : t(2.5f / (a + 2.5f)) {
    constexpr float p[] = {0.3989425f,    0.398960263f,  0.334523112f,
                           0.214632377f,  -0.000442522258f, 0.096723415f,
                           -0.550282359f, 0.508079588f,  -0.151542336f};
    slow = polynomial(t, p);
  }
  Floats ratio() const { return 0.4f * t * slow; }
  Floats times_a() const { return (1.0f - t) * slow; }
};

// (x - tanh x) / x³ as a polynomial in x² of degree 9, for |x| <= 1.4. The error is 2^-25.
inline Floats tanhshrink_ratio(Floats square) {
  constexpr float p[] = {0.333333343f,    -0.133333936f,  0.0539741144f,   -0.0218880083f,
                         0.0088734962f,   -0.00352639589f, 0.00127841055f, -0.000368900248f,
                         6.99484444e-05f, -6.22411653e-06f};
  return polynomial(square, p);
}

}  // namespace
}  // namespace hinge::HINGE_LEVEL
