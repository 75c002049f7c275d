// The elementwise activations, compiled: every activation's structure, run over arrays.
//
// A structure is made from its parameters and says for a register of floats: value(x), f(x);
// slope(x), f'(x), accurate everywhere; slope_at(y), f' from the output y = f(x), if that is
// what it keeps; live(x) and slope_where_live(), if it keeps bits. `at_kinks`: its parameters
// are kinks.
#include "elementwise.hpp"

#include "halves.hpp"
#include "rectifiers.hpp"
#include "self_gated.hpp"
#include "smooth.hpp"

namespace hinge::HINGE_LEVEL {
namespace {

static_assert(kBlock % kFloats == 0);
constexpr int kRegisters = kBlock / kFloats;  // registers that a block fills

template <class Function>
[[gnu::flatten]] void value(const double* parameters, const float* x, float* y, std::int64_t n) {
  const Function f(parameters);
  for (std::int64_t i = 0; i < n; i += kFloats) write(y + i, f.value(read<Floats>(x + i)));
}

template <class Function>
[[gnu::flatten]] void slope(const double* parameters, const float* x, float* y, std::int64_t n) {
  const Function f(parameters);
  for (std::int64_t i = 0; i < n; i += kFloats) write(y + i, f.slope(read<Floats>(x + i)));
}

template <class Function>
[[gnu::flatten]] void pull(const double* parameters, const float* gradient, const float* kept,
                           float* out, std::int64_t n) {
  const Function f(parameters);
  for (std::int64_t i = 0; i < n; i += kFloats) {
    Floats slope = read<Floats>(kept + i);
    if constexpr (Function::keeps == Keeps::output)
      slope = f.slope_at(slope);
    else
      slope = f.slope(slope);
    write(out + i, pulled(read<Floats>(gradient + i), slope));
  }
}

template <class Function>
[[gnu::flatten]] void mark(const double* parameters, const float* x, std::uint8_t* bits,
                           std::int64_t n) {
  const Function f(parameters);
  for (std::int64_t i = 0; i < n; i += kBlock) {
    std::int32_t word = 0;
    each<kRegisters>([&](auto k) {
      constexpr int first = k * kFloats;
      word |= bits_of(f.live(read<Floats>(x + i + first))) << first;
    });
    bits[i / 8] = static_cast<std::uint8_t>(word);
    bits[i / 8 + 1] = static_cast<std::uint8_t>(word >> 8);
  }
}

// In each lane the bit of an element, of which lane 0 holds number `first` of the block.
template <int first>
inline Ints places() {
  return []<int... lane>(std::integer_sequence<int, lane...>) {
    return Ints{(1 << (first + lane))...};
  }(std::make_integer_sequence<int, kFloats>{});
}

template <class Function>
[[gnu::flatten]] void unmark(const double* parameters, const float* gradient,
                             const std::uint8_t* bits, float* out, std::int64_t n) {
  const Function f(parameters);
  for (std::int64_t i = 0; i < n; i += kBlock) {
    const std::int32_t word = bits[i / 8] | bits[i / 8 + 1] << 8;
    each<kRegisters>([&](auto k) {
      constexpr int first = k * kFloats;
      const Ints live = ((word - Ints{}) & places<first>()) != 0;
      const Floats all = read<Floats>(gradient + i + first) * f.slope_where_live();
      write(out + i + first, live ? all : same(0));
    });
  }
}

template <class Function>
constexpr Kernel kernel() {
  Kernel made{Function::name, Function::parameters, Function::keeps, Function::at_kinks,
              &value<Function>, &slope<Function>, nullptr, nullptr, nullptr};
  if constexpr (Function::keeps == Keeps::bits)
    made.mark = &mark<Function>, made.unmark = &unmark<Function>;
  else
    made.pull = &pull<Function>;
  return made;
}

constexpr Kernel kKernels[] = {
    kernel<Relu>(), kernel<LeakyRelu>(), kernel<Relu6>(), kernel<ReluN>(), kernel<Hardtanh>(),
    kernel<Hardsigmoid>(), kernel<Hardswish>(), kernel<ThresholdedRelu>(), kernel<ShiftedRelu>(),
    kernel<Abs>(), kernel<Hardshrink>(), kernel<Softshrink>(), kernel<SquaredRelu>(),
    kernel<Elu>(), kernel<Celu>(), kernel<Selu>(), kernel<Softplus>(), kernel<Squareplus>(),
    kernel<Sigmoid>(), kernel<LogSigmoid>(), kernel<Tanh>(), kernel<Tanhshrink>(),
    kernel<Softsign>(), kernel<Silu>(), kernel<QuickGelu>(), kernel<Gelu>(), kernel<GeluTanh>(),
    kernel<Mish>(),
};

template <class Format>
void widen(const std::uint16_t* from, float* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += kFloats)
    write(to + i, Format::widened(read<Halves>(from + i)));
}

template <class Format>
void narrow(const float* from, std::uint16_t* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; i += kFloats)
    write(to + i, Format::narrowed(read<Floats>(from + i)));
}

bool within(const float* x, std::int64_t n, float low, float high) {
  Ints inside = ~Ints{};
  for (std::int64_t i = 0; i < n; i += kFloats) {
    const Floats values = read<Floats>(x + i);
    inside &= (values > low) & (values < high);
  }
  return bits_of(~inside) == 0;
}

constexpr Elementwise kOffered{kKernels, static_cast<int>(sizeof kKernels / sizeof *kKernels),
                               {&widen<Bfloat16>, &narrow<Bfloat16>},
                               {&widen<Float16>, &narrow<Float16>},
                               &within};

}  // namespace

const Elementwise& elementwise() { return kOffered; }

}  // namespace hinge::HINGE_LEVEL
