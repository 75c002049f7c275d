// One bit for each value of a register, and back, for one level.
#pragma once

#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "elements.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

// Bit i is set where lane i of a comparison's result is true.
inline std::uint32_t bits_where(Ints truth) {
#if defined(__AVX512F__)
  return _mm512_movepi32_mask((__m512i)truth);
#elif defined(__AVX2__)
  return static_cast<std::uint32_t>(_mm256_movemask_ps((__m256)truth));
#elif defined(__SSE2__)
  return static_cast<std::uint32_t>(_mm_movemask_ps((__m128)truth));
#else
  std::uint32_t bits = 0;
  for (int i = 0; i < kFloats; ++i) bits |= (truth[i] & 1u) << i;
  return bits;
#endif
}

// A comparison's result that is true in lane i where bit i is set.
inline Ints where_bits(std::uint32_t bits) {
  constexpr Ints powers = []<int... i>(std::integer_sequence<int, i...>) {
    return Ints{(1 << i)...};
  }(std::make_integer_sequence<int, kFloats>{});
  return ((Ints{} + static_cast<std::int32_t>(bits)) & powers) != 0;
}

}  // namespace
}  // namespace hinge::HINGE_LEVEL
