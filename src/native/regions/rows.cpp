// Rows of doubles: products with a matrix, signs, and points between two.
#include "rows.hpp"

#include "../lanes.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

using regions::kLine;
using Mask = VectorOf<std::int64_t, kDoubles>::type;

constexpr int kParts64 = kLine / kDoubles;  // registers in a cache line

// As many rows and panels at once as the registers hold.
#if defined(__AVX512F__)
constexpr int kRows = 8, kPanels = 3;
#elif defined(__AVX2__)
constexpr int kRows = 4, kPanels = 1;
#else
constexpr int kRows = 2, kPanels = 1;
#endif

// a * b + c, rounded once where the processor can.
inline Doubles fused(Doubles a, Doubles b, Doubles c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_pd(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fmadd_pd(a, b, c);
#else
  return a * b + c;
#endif
}

inline double fused(double a, double b, double c) {
#if defined(__AVX2__)
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}

inline std::uint64_t bits_where(Mask truth) {
#if defined(__AVX512F__)
  return _mm512_movepi64_mask((__m512i)truth);
#elif defined(__AVX2__)
  return static_cast<std::uint64_t>(_mm256_movemask_pd((__m256d)truth));
#else
  std::uint64_t bits = 0;
  for (int i = 0; i < kDoubles; ++i) bits |= static_cast<std::uint64_t>(truth[i] & 1) << i;
  return bits;
#endif
}

template <int rows, int panels>
void block(const regions::Panels& matrix, const double* packed, const double* bias,
           const double* from, std::int64_t from_step, double* to, std::int64_t to_step) {
  Doubles sums[rows][panels * kParts64];
  each<panels * kParts64>([&](auto p) {
    const Doubles start = load(bias + p * kDoubles);
    each<rows>([&](auto r) { sums[r][p] = start; });
  });
  const std::int64_t panel_step = static_cast<std::int64_t>(matrix.inputs) * kLine;
  for (int k = 0; k < matrix.inputs; ++k) {
    Doubles weights[panels * kParts64];
    each<panels>([&](auto p) {
      each<kParts64>([&](auto i) {
        weights[p * kParts64 + i] = load(packed + p * panel_step + k * kLine + i * kDoubles);
      });
    });
    each<rows>([&](auto r) {
      const Doubles value = all(from[r * from_step + k]);
      each<panels * kParts64>([&](auto p) { sums[r][p] = fused(value, weights[p], sums[r][p]); });
    });
  }
  each<rows>([&](auto r) {
    each<panels * kParts64>([&](auto p) { store(to + r * to_step + p * kDoubles, sums[r][p]); });
  });
}

template <int panels>
void strip(const regions::Panels& matrix, int panel, const double* from, std::int64_t from_step,
           std::int64_t rows, double* to, std::int64_t to_step) {
  const double* packed = matrix.packed + static_cast<std::int64_t>(panel) * matrix.inputs * kLine;
  const double* bias = matrix.bias + panel * kLine;
  to += panel * kLine;
  std::int64_t row = 0;
  for (; row + kRows <= rows; row += kRows)
    block<kRows, panels>(matrix, packed, bias, from + row * from_step, from_step,
                         to + row * to_step, to_step);
  for (; row < rows; ++row)
    block<1, panels>(matrix, packed, bias, from + row * from_step, from_step, to + row * to_step,
                     to_step);
}

// A sum in twice the precision: products and partial sums leave their rounding errors to a second
// sum (Ogita, Rump and Oishi, Accurate sum and dot product, 2005, algorithm Dot2).
template <class Number>
struct TwoSums {
  Number high, low;

  void add(Number sum) {
    const Number before = high;
    high = before + sum;
    const Number back = high - before;
    low += (before - (high - back)) + (sum - back);
  }
  void add_product(Number a, Number b, Number small_a) {
    const Number product = a * b;
    low += fused_exactly(a, b, -product) + small_a * b;
    add(product);
  }
  // As large a part as fits, and the rest.
  void normalise() {
    const Number sum = high + low;
    low -= sum - high;
    high = sum;
  }

 private:
  static double fused_exactly(double a, double b, double c) { return __builtin_fma(a, b, c); }
  static Doubles fused_exactly(Doubles a, Doubles b, Doubles c) {
#ifdef __AVX2__
    return fused(a, b, c);
#else
    Doubles result;
    for (int i = 0; i < kDoubles; ++i) result[i] = __builtin_fma(a[i], b[i], c[i]);
    return result;
#endif
  }
};

}  // namespace

void precisely(const regions::Panels& matrix, const double* high, const double* low,
               double* to_high, double* to_low) {
  for (int first = 0; first < matrix.outputs; first += kDoubles) {
    const double* weights =
        matrix.packed + static_cast<std::int64_t>(first / kLine) * matrix.inputs * kLine +
        first % kLine;
    TwoSums<Doubles> sum{load(matrix.bias + first), Doubles{}};
    for (int k = 0; k < matrix.inputs; ++k)
      sum.add_product(all(high[k]), load(weights + static_cast<std::int64_t>(k) * kLine),
                      all(low[k]));
    sum.normalise();
    store(to_high + first, sum.high);
    store(to_low + first, sum.low);
  }
}

void precisely(const regions::Sparse& matrix, const double* high, const double* low,
               double* to_high, double* to_low) {
  for (int i = 0; i < matrix.outputs; ++i) {
    TwoSums<double> sum{matrix.bias[i], 0};
    for (std::int64_t k = matrix.starts[i]; k < matrix.starts[i + 1]; ++k)
      sum.add_product(high[matrix.inputs[k]], matrix.weights[k], low[matrix.inputs[k]]);
    sum.normalise();
    to_high[i] = sum.high, to_low[i] = sum.low;
  }
}

void multiply(const regions::Panels& matrix, const double* from, std::int64_t from_step,
              std::int64_t rows, double* to, std::int64_t to_step) {
  const int panels = matrix.outputs / kLine;
  int panel = 0;
  for (; panel + kPanels <= panels; panel += kPanels)
    strip<kPanels>(matrix, panel, from, from_step, rows, to, to_step);
  for (; panel < panels; ++panel) strip<1>(matrix, panel, from, from_step, rows, to, to_step);
}

void multiply(const regions::Sparse& matrix, const double* from, std::int64_t from_step,
              std::int64_t rows, double* to, std::int64_t to_step) {
  for (std::int64_t row = 0; row < rows; ++row, from += from_step, to += to_step)
    for (int i = 0; i < matrix.outputs; ++i) {
      double sum = matrix.bias[i];
      for (std::int64_t k = matrix.starts[i]; k < matrix.starts[i + 1]; ++k)
        sum = fused(matrix.weights[k], from[matrix.inputs[k]], sum);
      to[i] = sum;
    }
}

double largest(const double* row, int count) {
  Doubles most{};
  for (int i = 0; i < count; i += kDoubles)
    most = larger(most, magnitude_of<double>(load(row + i)));
  return folded<double, kDoubles>(most, [](auto a, auto b) { return larger(a, b); });
}

regions::Signs signs(const double* row, const double* scale, double reach, int count) {
  regions::Signs found{0, 0};
  for (int i = 0; i < count; i += kDoubles) {
    const Doubles value = load(row + i), bound = load(scale + i) * reach;
    found.positive |= bits_where(value > bound) << i;
    found.negative |= bits_where(value < -bound) << i;
  }
  return found;
}

namespace {

struct Size {
  Doubles most{}, squares{};

  void add(Doubles values, Doubles per_scale) {
    most = larger(most, magnitude_of<double>(values) * per_scale);
    squares = fused(values, values, squares);
  }
  double over(double norm) const {
    const double largest =
        folded<double, kDoubles>(most, [](auto x, auto y) { return larger(x, y); });
    const double sum = folded<double, kDoubles>(squares, [](auto x, auto y) { return x + y; });
    return larger(largest, __builtin_sqrt(sum) / norm);
  }
};

}  // namespace

void mix(const double* a, const double* b, double t, double* to, int count) {
  for (int i = 0; i < count; i += kDoubles) {
    const Doubles first = load(a + i);
    store(to + i, fused(all(t), load(b + i) - first, first));
  }
}

regions::Extent blend(const double* a, const double* b, double t, const double* per_scale,
                      double norm, double* to, int count) {
  Size apart, size;
  const Doubles part = all(t);
  for (int i = 0; i < count; i += kDoubles) {
    const Doubles first = load(a + i), second = load(b + i), per = load(per_scale + i);
    const Doubles way = second - first;
    store(to + i, fused(part, way, first));
    apart.add(way, per);
    size.add(larger(magnitude_of<double>(first), magnitude_of<double>(second)), per);
  }
  return {apart.over(norm), size.over(norm)};
}

double measured(const double* row, const double* per_scale, double norm, int count) {
  Size size;
  for (int i = 0; i < count; i += kDoubles) size.add(load(row + i), load(per_scale + i));
  return size.over(norm);
}

}  // namespace hinge::HINGE_LEVEL
