// Philox4x32-10 in registers, for one level: random words that are a function of a key and a
// counter, so that any part of a stream can be had alone, again, and on any thread.
// Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011, section 3.3 and table 2.
#pragma once

#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "elements.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

constexpr int kCounters = kFloats / 2;  // treated together, one in each 64-bit lane
using Pairs = VectorOf<std::uint64_t, kCounters>::type;
using Words = VectorOf<std::uint32_t, kFloats>::type;

// The products of the lower halves of the lanes; what the upper halves hold does not matter.
inline Pairs product_of_lower(Pairs a, Pairs b) {
#if defined(__AVX512F__)
  return (Pairs)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (Pairs)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  return (Pairs)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xffffffff) * (b & 0xffffffff);
#endif
}

inline Pairs exclusive_or(Pairs a, Pairs b, Pairs c) {
#if defined(__AVX512F__)
  return (Pairs)_mm512_ternarylogic_epi64((__m512i)a, (__m512i)b, (__m512i)c, 0x96);
#else
  return a ^ b ^ c;
#endif
}

// The upper halves of the lanes as lower halves; what the upper halves become does not matter.
inline Pairs upper(Pairs pairs) {
  const auto words = (Words)pairs;
  return [&]<int... i>(std::integer_sequence<int, i...>) {
    return (Pairs)__builtin_shufflevector(words, words, (i | 1)...);
  }(std::make_integer_sequence<int, kFloats>{});
}

// The lower halves of the lanes of two, alternating: word 2 i is from lane i of the first.
inline Pairs joined(Pairs first, Pairs second) {
  return (first & 0xffffffff) | (second << 32);
}

class Philox {
 public:
  explicit Philox(std::uint64_t key) {
    auto low = static_cast<std::uint32_t>(key), high = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < kRounds; ++round, low += 0x9E3779B9u, high += 0xBB67AE85u)
      low_[round] = Pairs{} + low, high_[round] = Pairs{} + high;
  }

  // Words 0, 1, 2, 3 of the counter, words 0, ... of the next one, and so on for kCounters
  // counters, in the two registers from `out` on. A counter's upper 64 bits are `stream`.
  [[gnu::always_inline]] void words(std::uint64_t counter, std::uint64_t stream,
                                    Words* out) const {
    const Pairs counters = counter + kOrder;
    Pairs a = counters, b = counters >> 32, c = Pairs{} + stream, d = c >> 32;
    each<kRounds>([&](auto round) {
      const Pairs left = product_of_lower(a, Pairs{} + 0xD2511F53u);
      const Pairs right = product_of_lower(c, Pairs{} + 0xCD9E8D57u);
      a = exclusive_or(upper(right), b, low_[round]);
      c = exclusive_or(upper(left), d, high_[round]);
      b = right;
      d = left;
    });
    const Pairs first = joined(a, b), second = joined(c, d);
    [&]<int... i>(std::integer_sequence<int, i...>) {
      out[0] = (Words)__builtin_shufflevector(first, second,
                                              (i / 2 * 2 + i % 2 * kCounters)...);
      out[1] = (Words)__builtin_shufflevector(first, second,
                                              (i / 2 * 2 + 1 + i % 2 * kCounters)...);
    }(std::make_integer_sequence<int, kCounters>{});
  }

 private:
  static constexpr int kRounds = 10;
  // The even lanes hold the first half of the counters, the odd lanes the second, so that the
  // words come into order without crossing the processor's 128-bit lanes.
  static constexpr Pairs kOrder = []<int... i>(std::integer_sequence<int, i...>) {
    return Pairs{(i / 2 + i % 2 * (kCounters / 2))...};
  }(std::make_integer_sequence<int, kCounters>{});

  Pairs low_[kRounds], high_[kRounds];
};

}  // namespace
}  // namespace hinge::HINGE_LEVEL
