// Opens the tally to Python: checks arrays, lets other Python threads run, calls the kernel.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string_view.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "bindings.hpp"
#include "levels.hpp"
#include "spread.hpp"
#include "tally.hpp"

namespace nb = nanobind;

namespace {

template <class Value>
using Values = nb::ndarray<const Value, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
template <class Value>
using Rows = nb::ndarray<Value, nb::numpy, nb::ndim<2>, nb::c_contig>;

constexpr std::int64_t kCounts = 7, kReals = 5;
// The kernel counts in 32 bits what one example or one unit of a batch shows.
constexpr std::int64_t kMost = std::int64_t{1} << 31;
// Units that the kernel treats together, and values that are worth a thread of their own.
constexpr std::int64_t kTogether = 64, kWorthwhile = 1 << 20;

// Rows of `columns` numbers, which Python then owns.
template <class Value>
std::pair<Value*, Rows<Value>> rows_of(std::int64_t rows, std::int64_t columns) {
  auto memory = std::make_unique<Value[]>(rows * columns);
  Value* data = memory.get();
  nb::capsule owner(memory.release(),
                    [](void* from) noexcept { delete[] static_cast<Value*>(from); });
  const auto length = [](std::int64_t size) { return static_cast<size_t>(size); };
  return {data, Rows<Value>(data, {length(rows), length(columns)}, owner)};
}

template <class Value>
nb::tuple tally(const Values<Value>& z, const Values<Value>& h, bool units_last, double kink,
                double low, double high, int threads, std::string_view level) {
  for (size_t axis = 0; axis < 3; ++axis)
    if (z.shape(axis) != h.shape(axis)) throw std::invalid_argument("z and h differ in shape");
  const auto size = [&](size_t axis) { return static_cast<std::int64_t>(z.shape(axis)); };
  const std::int64_t units = size(units_last ? 2 : 1), positions = size(units_last ? 1 : 2);
  // An example without positions shows nothing.
  const std::int64_t examples = positions == 0 ? 0 : size(0);
  const hinge::Batch<Value> batch{z.data(), h.data(), examples, units, positions, units_last};
  if (examples >= kMost || positions >= kMost)
    throw std::invalid_argument("too many examples or positions for one batch");

  const hinge::Limits<Value> limits{static_cast<Value>(kink), static_cast<Value>(low),
                                    static_cast<Value>(high)};
  const hinge::Level best = hinge::chosen(level);
  const std::int64_t n = units;
  auto [count, counts] = rows_of<std::int64_t>(kCounts, n);
  auto [real, reals] = rows_of<double>(kReals, n);
  const hinge::Totals out{count,         count + n,     count + 2 * n, count + 3 * n,
                          count + 4 * n, count + 5 * n, count + 6 * n, real,
                          real + n,      real + 2 * n,  real + 3 * n,  real + 4 * n};
  {
    const nb::gil_scoped_release others_may_run;
    const std::int64_t values = examples * units * positions;
    hinge::spread(n, positions == 1 ? kTogether : 1,
                  std::min<std::int64_t>(threads, values / kWorthwhile),
                  [&](auto first, auto last) {
                    HINGE_AT(best, tally(batch, limits, first, last, out));
                  });
  }
  return nb::make_tuple(counts, reals);
}

template <class Value>
void add_tally(nb::module_& module) {
  module.def("tally", &tally<Value>, nb::arg("z").noconvert(), nb::arg("h").noconvert(),
             nb::arg("units_last"), nb::arg("kink"), nb::arg("low"), nb::arg("high"),
             nb::arg("threads") = 1, nb::arg("level") = "");
}

}  // namespace

void hinge::bind_tally(nb::module_& module) {
  add_tally<float>(module);
  add_tally<double>(module);
}
