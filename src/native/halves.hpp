// 16-bit numbers widened to registers of floats and rounded back, for one level.
#pragma once

#include "mathematics.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

using Halves = VectorOf<std::uint16_t, kFloats>::type;

// GCC 12 converts the halves of a register one by one where one instruction would do.
#if defined(__AVX512F__)
inline Ints spread_out(Halves halves) { return (Ints)_mm512_cvtepu16_epi32((__m256i)halves); }
inline Halves packed(Ints bits) { return (Halves)_mm512_cvtepi32_epi16((__m512i)bits); }
#else
inline Ints spread_out(Halves halves) { return __builtin_convertvector(halves, Ints); }
inline Halves packed(Ints bits) { return __builtin_convertvector(bits, Halves); }
#endif

inline Ints same_bits(std::int32_t bits) { return bits - Ints{}; }

// Without the last `places` bits: rounded to nearest, ties to even. Shifts bring in zeros.
template <class Bits>
inline Bits rounded_off(Bits bits, int places) {
  return (bits + ((1 << (places - 1)) - 1) + ((bits >> places) & 1)) >> places;
}

struct Bfloat16 {
  using Words = VectorOf<std::uint32_t, kFloats>::type;

  static Floats widened(Halves halves) { return (Floats)(spread_out(halves) << 16); }
  // A NaN comes from one that was widened, or from an operation: its upper half is a NaN too.
  static Halves narrowed(Floats values) {
    const Words bits = (Words)values;
    return packed((Ints)(values == values ? rounded_off(bits, 16) : bits >> 16));
  }
};

struct Float16 {
#if defined(__AVX512F__)
  static Floats widened(Halves halves) { return _mm512_cvtph_ps((__m256i)halves); }
  static Halves narrowed(Floats values) {
    return (Halves)_mm512_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
#elif defined(__F16C__)
  static Floats widened(Halves halves) { return _mm256_cvtph_ps((__m128i)halves); }
  static Halves narrowed(Floats values) {
    return (Halves)_mm256_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
#else
  static Floats widened(Halves halves) {
    const Ints bits = spread_out(halves);
    // The exponent is 112 too small, unless all its bits are set; a subnormal has none.
    const Floats size = (Floats)((bits & 0x7fff) << 13) * 0x1p112f;
    const Ints sign = (bits & 0x8000) << 16;
    const Ints special = (bits & 0x7c00) == 0x7c00;
    return (Floats)((Ints)size | sign | (special & 0x7f800000));
  }
  static Halves narrowed(Floats values) {
    const Ints bits = (Ints)values, size = bits & ~kSign;
    // Below the normal numbers the adder rounds: next to 1/2 it has their spacing.
    const Ints small = (Ints)((Floats)size + 0.5f) - 0x3f000000;
    const Ints usual = rounded_off(size - 0x38000000, 13);
    const Ints large = size > 0x7f800000 ? same_bits(0x7e00) : same_bits(0x7c00);
    const Ints rounded = size < 0x38800000 ? small : size < 0x47800000 ? usual : large;
    return packed(rounded | ((bits >> 16) & 0x8000));
  }
#endif
};

}  // namespace
}  // namespace hinge::HINGE_LEVEL
