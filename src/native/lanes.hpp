// Vectors of the width that the level's registers have, as the compiler's own vector types.
//
// Included by kernels only, once per level. Everything here and in a kernel's file has
// internal linkage or lies in the level's namespace: otherwise the linker might keep the
// copy of a shared function that was compiled for a better processor than the one at hand.
#pragma once

#include <cstdint>
#include <utility>

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace hinge::HINGE_LEVEL {
namespace {

#if defined(__AVX512F__)
constexpr int kDoubles = 8;  // in a register
#elif defined(__AVX2__)
constexpr int kDoubles = 4;
#else
constexpr int kDoubles = 2;
#endif

template <class Value>
struct Shape;

template <>
struct Shape<double> {
  static constexpr int lanes = kDoubles;
  using Integer = std::int64_t;
};

template <>
struct Shape<float> {
  static constexpr int lanes = kDoubles < 8 ? 2 * kDoubles : 8;
  using Integer = std::int32_t;
};

template <class Element, int n>
struct VectorOf {
  typedef Element type __attribute__((vector_size(n * sizeof(Element))));
};

// A register of values, as many integers of their size, and a register of doubles.
template <class Value>
using Lanes = typename VectorOf<Value, Shape<Value>::lanes>::type;
template <class Value>
using Masks = typename VectorOf<typename Shape<Value>::Integer, Shape<Value>::lanes>::type;
using Doubles = VectorOf<double, kDoubles>::type;

// A register of values takes so many registers of doubles.
template <class Value>
constexpr int kParts = Shape<Value>::lanes / kDoubles;

// Calls `body` with 0, ..., n - 1 as compile-time constants. A loop over an array of registers
// that the compiler unrolls too late leaves the array in memory.
template <int n, class Body>
inline void each(Body body) {
  [&]<int... k>(std::integer_sequence<int, k...>) {
    (body(std::integral_constant<int, k>{}), ...);
  }(std::make_integer_sequence<int, n>{});
}

template <class Value>
inline Lanes<Value> load(const Value* from) {
  Lanes<Value> values;
  __builtin_memcpy(&values, from, sizeof values);
  return values;
}

template <class Value>
inline void store(Value* to, Lanes<Value> values) {
  __builtin_memcpy(to, &values, sizeof values);
}

template <class Value>
inline Lanes<Value> all(Value value) {
  return value - Lanes<Value>{};
}

// Part `part` of a register of values, as doubles.
template <int part>
inline Doubles widened(Lanes<double> values) {
  return values;
}

// GCC 12 converts the halves of a register one by one where one instruction would do.
template <int part>
inline Doubles widened(Lanes<float> values) {
#if defined(__AVX512F__)
  return _mm512_cvtps_pd(values);
#elif defined(__AVX2__)
  return _mm256_cvtps_pd(part == 0 ? _mm256_castps256_ps128(values)
                                   : _mm256_extractf128_ps(values, 1));
#else
  return Doubles{values[2 * part], values[2 * part + 1]};
#endif
}

// sum + x * x, where x was a Value. The square of a float is exact as a double, so that one
// fused operation rounds like two.
template <class Value>
inline Doubles plus_square(Doubles sum, Doubles x) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Value) < sizeof(double)) return _mm512_fmadd_pd(x, x, sum);
#elif defined(__AVX2__)
  if constexpr (sizeof(Value) < sizeof(double)) return _mm256_fmadd_pd(x, x, sum);
#endif
  return sum + x * x;
}

// Without the sign bit, so that NaN and infinity pass through.
template <class Value>
inline Lanes<Value> magnitude_of(Lanes<Value> values) {
  using Integer = typename Shape<Value>::Integer;
  constexpr Integer most = static_cast<Integer>(~(std::uint64_t{1} << (8 * sizeof(Integer) - 1)));
  return (Lanes<Value>)((Masks<Value>)values & most);
}

// The smaller and the larger of two; the first is kept where the second is NaN.
template <class Vector>
inline Vector smaller(Vector kept, Vector other) {
  return other < kept ? other : kept;
}
template <class Vector>
inline Vector larger(Vector kept, Vector other) {
  return other > kept ? other : kept;
}

// All lanes joined, halves first: the same order of operations whatever the registers' width.
template <class Element, int n, class Join>
inline Element folded(typename VectorOf<Element, n>::type vector, Join join) {
  if constexpr (n == 2) {
    return join(vector[0], vector[1]);
  } else {
    return [&]<int... i>(std::integer_sequence<int, i...>) {
      return folded<Element, n / 2>(join(__builtin_shufflevector(vector, vector, i...),
                                         __builtin_shufflevector(vector, vector, (i + n / 2)...)),
                                    join);
    }(std::make_integer_sequence<int, n / 2>{});
  }
}

// The same for `count` registers, whose number is a power of two; overwrites them.
template <class Element, int n, int count, class Join>
inline Element folded(typename VectorOf<Element, n>::type (&vectors)[count], Join join) {
  for (int half = count / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) vectors[k] = join(vectors[k], vectors[k + half]);
  return folded<Element, n>(vectors[0], join);
}

}  // namespace
}  // namespace hinge::HINGE_LEVEL
