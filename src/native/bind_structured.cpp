// Gated, concatenated, per-channel and random functions for Python, which has checked the tensors
// and passes addresses; see src/hinge/kernels.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string_view.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bindings.hpp"
#include "concatenated.hpp"
#include "gated.hpp"
#include "per_channel_work.hpp"
#include "random.hpp"
#include "spread.hpp"

namespace nb = nanobind;

namespace hinge {
namespace {

using Address = std::uintptr_t;
using Size = std::int64_t;
using Name = std::string_view;

// Values that are worth a thread of their own, and those that are worth giving Python's lock away.
constexpr Size kWorthwhile = 1 << 15, kLong = 1 << 12;

template <class Value = void>
Value* at(Address address) {
  return reinterpret_cast<Value*>(address);
}

template <class Choice, std::size_t n>
Choice by_name(Name name, const std::array<Name, n>& names) {
  for (std::size_t i = 0; i < n; ++i)
    if (names[i] == name) return static_cast<Choice>(i);
  throw std::invalid_argument("unknown to this kernel: " + std::string(name));
}

Type type_of(int number) {
  if (number < 0 || number > static_cast<int>(Type::float16))
    throw std::invalid_argument("no such type");
  return static_cast<Type>(number);
}

// While it lives, other Python threads may run, if there are many values.
class Unlocked {
 public:
  explicit Unlocked(Size values) {
    if (values >= kLong) released_.emplace();
  }

 private:
  std::optional<nb::gil_scoped_release> released_;
};

// Spreads work over the values of a tensor.
template <class Work>
void over(Size values, Size together, Size threads, Work work) {
  const Unlocked others_may_run(values);
  spread(values, together, std::min(threads, values / kWorthwhile), work);
}

constexpr Size kTogether = 64;  // values

LearnedFunction learned(Name function, int type, double constant) {
  constexpr std::array<Name, 5> names{"prelu", "swish", "star_relu", "srelu", "jump_relu"};
  return {by_name<Learned>(function, names), type_of(type), static_cast<float>(constant)};
}

void per_channel_forward(Name function, int type, Address x, Address y, Address parameters,
                         Size outer, Size channels, Size inner, double constant, Size threads,
                         Name level) {
  const Workers by{chosen(level), threads};
  const LearnedFunction what = learned(function, type, constant);
  const Unlocked others_may_run(outer * channels * inner);
  per_channel(by, what, {at(x), at(y)}, at<float>(parameters), {outer, channels, inner});
}

void per_channel_gradients(Name function, int type, Address gradient, Address x, Address out,
                           Address parameters, Address sums, Size outer, Size channels,
                           Size inner, double constant, Size threads, Name level) {
  const Workers by{chosen(level), threads};
  const LearnedFunction what = learned(function, type, constant);
  const Unlocked others_may_run(outer * channels * inner);
  per_channel_backward(by, what, {at(gradient), at(x), at(out)}, at<float>(parameters),
                       {outer, channels, inner}, at<double>(sums));
}

void crelu_forward(int type, Address x, Address y, Address bits, Size outer, Size inner,
                   Size threads, Name level) {
  const Level best = chosen(level);
  const Type element = type_of(type);
  const Signs signs{at<std::uint8_t>(bits), bytes_of_plane(outer * inner)};
  over(outer * inner, kSignsTogether, threads, [&](Size first, Size last) {
    HINGE_AT(best, crelu(element, at(x), at(y), signs, inner, first, last));
  });
}

void crelu_gradient(int type, Address gradient, Address bits, Address out, Size outer,
                    Size inner, Size threads, Name level) {
  const Level best = chosen(level);
  const Type element = type_of(type);
  const Signs signs{at<std::uint8_t>(bits), bytes_of_plane(outer * inner)};
  over(outer * inner, kSignsTogether, threads, [&](Size first, Size last) {
    HINGE_AT(best, crelu_backward(element, at(gradient), at(out), signs, inner, first, last));
  });
}

void rrelu_forward(int type, Address x, Address y, Size count, double lower, double upper,
                   std::uint64_t seed, Size threads, Name level) {
  const Level best = chosen(level);
  const Type element = type_of(type);
  const Slopes slopes{static_cast<float>(lower), static_cast<float>(upper), seed};
  over(count, kRandomTogether, threads, [&](Size first, Size last) {
    HINGE_AT(best, rrelu(element, at(x), at(y), slopes, first, last));
  });
}

void rrelu_gradient(int type, Address gradient, Address kept, Address out, Size count,
                    double lower, double upper, std::uint64_t seed, Size threads, Name level) {
  const Level best = chosen(level);
  const Type element = type_of(type);
  const Slopes slopes{static_cast<float>(lower), static_cast<float>(upper), seed};
  over(count, kRandomTogether, threads, [&](Size first, Size last) {
    HINGE_AT(best,
             rrelu_backward(element, at(gradient), at(kept), at(out), slopes, first, last));
  });
}

void random_words(std::uint64_t key, std::uint64_t counter, std::uint64_t stream, Address words,
                  Size count, Name level) {
  HINGE_AT(chosen(level), philox(key, counter, stream, at<std::uint32_t>(words), count));
}

Gated gated_of(Name gate, int type, Address a, Address b, Size inner, Size step) {
  constexpr std::array<Name, 4> names{"sigmoid", "relu", "gelu", "silu"};
  return {by_name<Gate>(gate, names), type_of(type), inner, step, at(a), at(b)};
}

void gated_forward(Name gate, int type, Address a, Address b, Address y, Size outer, Size inner,
                   Size step, Size threads, Name level) {
  const Level best = chosen(level);
  const Gated of = gated_of(gate, type, a, b, inner, step);
  over(outer * inner, kTogether, threads, [&](Size first, Size last) {
    HINGE_AT(best, gated(of, at(y), first, last));
  });
}

void gated_gradients(Name gate, int type, Address gradient, Address a, Address b, Address out_a,
                     Address out_b, Size outer, Size inner, Size step, Size threads, Name level) {
  const Level best = chosen(level);
  const Gated of = gated_of(gate, type, a, b, inner, step);
  over(outer * inner, kTogether, threads, [&](Size first, Size last) {
    HINGE_AT(best, gated_backward(of, at(gradient), at(out_a), at(out_b), first, last));
  });
}

}  // namespace

void bind_structured(nb::module_& module) {
  // The last arguments of each function are the number of threads and the level.
  const auto add = [&](const char* name, auto function, auto... arguments) {
    module.def(name, function, nb::arg(arguments)..., nb::arg("threads"), nb::arg("level") = "");
  };
  add("per_channel", &per_channel_forward, "function", "dtype", "x", "y", "parameters", "outer",
      "channels", "inner", "constant");
  add("per_channel_backward", &per_channel_gradients, "function", "dtype", "gradient", "x", "out",
      "parameters", "sums", "outer", "channels", "inner", "constant");
  add("crelu", &crelu_forward, "dtype", "x", "y", "bits", "outer", "inner");
  add("crelu_backward", &crelu_gradient, "dtype", "gradient", "bits", "out", "outer", "inner");
  add("rrelu", &rrelu_forward, "dtype", "x", "y", "count", "lower", "upper", "seed");
  add("rrelu_backward", &rrelu_gradient, "dtype", "gradient", "kept", "out", "count", "lower",
      "upper", "seed");
  add("gated", &gated_forward, "gate", "dtype", "a", "b", "y", "outer", "inner", "step");
  add("gated_backward", &gated_gradients, "gate", "dtype", "gradient", "a", "b", "out_a", "out_b",
      "outer", "inner", "step");
  module.def("crelu_bytes", [](Size values) { return 2 * bytes_of_plane(values); },
             nb::arg("values"));
  module.def("philox", &random_words, nb::arg("key"), nb::arg("counter"), nb::arg("stream"),
             nb::arg("words"), nb::arg("count"),
             nb::arg("level") = "");
}

}  // namespace hinge
