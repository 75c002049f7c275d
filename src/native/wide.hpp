// Whole registers of values, and the few operations on them that a glance needs, for one level.
#pragma once

#include "lanes.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

// Unlike `Lanes`, a register of floats is as wide as one of doubles.
template <class Value>
constexpr int kWidth = kDoubles * static_cast<int>(sizeof(double) / sizeof(Value));
template <class Value>
using Integer = typename Shape<Value>::Integer;
template <class Value>
using Wide = typename VectorOf<Value, kWidth<Value>>::type;
template <class Value>
using Truths = typename VectorOf<Integer<Value>, kWidth<Value>>::type;

template <class Value>
inline Wide<Value> load_wide(const Value* from) {
  Wide<Value> values;
  __builtin_memcpy(&values, from, sizeof values);
  return values;
}

template <class Value, class Vector>
inline void store_wide(Value* to, Vector values) {
  static_assert(sizeof values == kWidth<Value> * sizeof(Value));
  __builtin_memcpy(to, &values, sizeof values);
}

template <class Value>
inline Wide<Value> everywhere(Value value) {
  return value - Wide<Value>{};
}

// True in the first `count` lanes.
template <class Value>
inline Truths<Value> first_lanes(std::int64_t count) {
  constexpr Truths<Value> lane = []<int... i>(std::integer_sequence<int, i...>) {
    return Truths<Value>{i...};
  }(std::make_integer_sequence<int, kWidth<Value>>{});
  return lane < static_cast<Integer<Value>>(count);
}

// GCC 12 does not find these instructions itself. `kept` stays where `other` is NaN.
#if defined(__AVX512F__)
inline Wide<float> larger_of(Wide<float> kept, Wide<float> other) {
  return _mm512_max_ps(other, kept);
}
inline Wide<double> larger_of(Wide<double> kept, Wide<double> other) {
  return _mm512_max_pd(other, kept);
}
inline Wide<float> smaller_of(Wide<float> kept, Wide<float> other) {
  return _mm512_min_ps(other, kept);
}
inline Wide<double> smaller_of(Wide<double> kept, Wide<double> other) {
  return _mm512_min_pd(other, kept);
}
inline Wide<float> poisoned(Wide<float> poison, Wide<float> z) {
  return _mm512_fmadd_ps(z, _mm512_setzero_ps(), poison);
}
inline Wide<double> poisoned(Wide<double> poison, Wide<double> z) {
  return _mm512_fmadd_pd(z, _mm512_setzero_pd(), poison);
}
inline int how_many(Truths<float> truths) {
  return __builtin_popcount(_mm512_movepi32_mask((__m512i)truths));
}
inline int how_many(Truths<double> truths) {
  return __builtin_popcount(_mm512_movepi64_mask((__m512i)truths));
}
inline bool some_nan(Wide<float> x) { return _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q) != 0; }
inline bool some_nan(Wide<double> x) { return _mm512_cmp_pd_mask(x, x, _CMP_UNORD_Q) != 0; }
inline void count_above(Truths<float>& count, Wide<float> z, Wide<float> kink) {
  const __mmask16 above = _mm512_cmp_ps_mask(z, kink, _CMP_GT_OQ);
  count = (Truths<float>)_mm512_mask_sub_epi32((__m512i)count, above, (__m512i)count,
                                              _mm512_set1_epi32(-1));
}
inline void count_above(Truths<double>& count, Wide<double> z, Wide<double> kink) {
  const __mmask8 above = _mm512_cmp_pd_mask(z, kink, _CMP_GT_OQ);
  count = (Truths<double>)_mm512_mask_sub_epi64((__m512i)count, above, (__m512i)count,
                                               _mm512_set1_epi64(-1));
}
inline void count_between(Truths<float>& count, Wide<float> z, Wide<float> low,
                          Wide<float> high) {
  __mmask16 between = _mm512_cmp_ps_mask(z, low, _CMP_GT_OQ);
  between = _mm512_mask_cmp_ps_mask(between, z, high, _CMP_LT_OQ);
  count = (Truths<float>)_mm512_mask_sub_epi32((__m512i)count, between, (__m512i)count,
                                              _mm512_set1_epi32(-1));
}
inline void count_between(Truths<double>& count, Wide<double> z, Wide<double> low,
                          Wide<double> high) {
  __mmask8 between = _mm512_cmp_pd_mask(z, low, _CMP_GT_OQ);
  between = _mm512_mask_cmp_pd_mask(between, z, high, _CMP_LT_OQ);
  count = (Truths<double>)_mm512_mask_sub_epi64((__m512i)count, between, (__m512i)count,
                                               _mm512_set1_epi64(-1));
}
#elif defined(__AVX2__)
inline Wide<float> larger_of(Wide<float> kept, Wide<float> other) {
  return _mm256_max_ps(other, kept);
}
inline Wide<double> larger_of(Wide<double> kept, Wide<double> other) {
  return _mm256_max_pd(other, kept);
}
inline Wide<float> smaller_of(Wide<float> kept, Wide<float> other) {
  return _mm256_min_ps(other, kept);
}
inline Wide<double> smaller_of(Wide<double> kept, Wide<double> other) {
  return _mm256_min_pd(other, kept);
}
inline Wide<float> poisoned(Wide<float> poison, Wide<float> z) {
  return _mm256_fmadd_ps(z, _mm256_setzero_ps(), poison);
}
inline Wide<double> poisoned(Wide<double> poison, Wide<double> z) {
  return _mm256_fmadd_pd(z, _mm256_setzero_pd(), poison);
}
inline int how_many(Truths<float> truths) {
  return __builtin_popcount(_mm256_movemask_ps((__m256)truths));
}
inline int how_many(Truths<double> truths) {
  return __builtin_popcount(_mm256_movemask_pd((__m256d)truths));
}
inline bool some_nan(Wide<float> x) {
  return _mm256_movemask_ps(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)) != 0;
}
inline bool some_nan(Wide<double> x) {
  return _mm256_movemask_pd(_mm256_cmp_pd(x, x, _CMP_UNORD_Q)) != 0;
}
#else
template <class Vector>
inline Vector larger_of(Vector kept, Vector other) {
  return larger(kept, other);
}
template <class Vector>
inline Vector smaller_of(Vector kept, Vector other) {
  return smaller(kept, other);
}
// NaN stays, and infinity becomes it; all else leaves 0 as it is.
template <class Vector>
inline Vector poisoned(Vector poison, Vector z) {
  return poison + z * 0;
}
// How many lanes of a comparison's result are true.
template <class Vector>
inline int how_many(Vector truths) {
  int count = 0;
  for (int i = 0; i < static_cast<int>(sizeof truths / sizeof truths[0]); ++i)
    count -= static_cast<int>(truths[i]);
  return count;
}
template <class Vector>
inline bool some_nan(Vector x) {
  return how_many(x != x) > 0;
}
#endif

#if !defined(__AVX512F__)
// Adds 1 to the counts of the lanes that lie above the kink.
template <class Counts, class Vector>
inline void count_above(Counts& count, Vector z, Vector kink) {
  count -= z > kink;
}
// The same for the lanes that lie between two limits.
template <class Counts, class Vector>
inline void count_between(Counts& count, Vector z, Vector low, Vector high) {
  count -= (z > low) & (z < high);
}
#endif

}  // namespace
}  // namespace hinge::HINGE_LEVEL
