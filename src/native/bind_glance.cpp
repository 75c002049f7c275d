// Opens the glance and the signs of gradients to Python. Tensors come as addresses, which is
// quicker than any exchange of arrays: the Python side checks them.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string_view.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "bindings.hpp"
#include "glance.hpp"
#include "levels.hpp"
#include "marking.hpp"
#include "spread.hpp"

namespace nb = nanobind;

namespace {

using Address = std::uintptr_t;
using Count = std::int64_t;

// Units that a kernel treats together, values that are worth a thread of their own, and values
// below which giving Python's lock away and taking it back costs more than it gives.
constexpr Count kTogether = 64, kWorthwhile = 1 << 20, kLong = 1 << 15;

template <class Value>
Value* at(Address address) {
  return reinterpret_cast<Value*>(address);
}

// Calls work(first, last, level) for parts of the units; lets other Python threads run.
template <class Work>
void for_units(Count units, Count values, bool side_by_side, int threads, std::string_view level,
               Work work) {
  const hinge::Level best = level.empty() ? hinge::levels().front() : hinge::chosen(level);
  std::optional<nb::gil_scoped_release> others_may_run;
  if (values >= kLong) others_may_run.emplace();
  hinge::spread(units, side_by_side ? kTogether : 1,
                std::min<Count>(threads, values / kWorthwhile),
                [&](auto first, auto last) { work(first, last, best); });
}

template <class Value>
void glance_at(Address z, Count examples, Count units, Count positions, bool units_last,
               const hinge::Running& to, double kink, double low, double high, int threads,
               std::string_view level) {
  const hinge::Look<Value> look{at<const Value>(z), examples, units, positions, units_last};
  const hinge::Limits<Value> limits{static_cast<Value>(kink), static_cast<Value>(low),
                                    static_cast<Value>(high)};
  for_units(units, examples * units * positions, units_last || positions == 1, threads, level,
            [&](Count first, Count last, hinge::Level best) {
              HINGE_AT(best, glance(look, limits, first, last, to));
            });
}

void glance(Address z, bool is_double, Count examples, Count units, Count positions,
            bool units_last, Address counts, Address reals, Address clock, double kink, double low,
            double high, int threads, std::string_view level) {
  const Count n = units;
  Count* count = at<Count>(counts);
  double* real = at<double>(reals);
  Count* steps = at<Count>(clock);
  const hinge::Running to{count,         count + n,     count + 2 * n, count + 3 * n,
                          count + 4 * n, count + 5 * n, count + 6 * n, count + 7 * n,
                          real,          real + n,      real + 2 * n,  steps[0],
                          steps[0] != steps[1]};
  // An example without positions shows nothing.
  const Count shown = positions == 0 ? 0 : examples;
  const auto look = is_double ? glance_at<double> : glance_at<float>;
  look(z, shown, units, positions, units_last, to, kink, low, high, threads, level);
  steps[1] = steps[0];
}

template <class Value>
void signs_at(Address values, Count examples, Count units, Count positions, bool units_last,
              const hinge::Signs& out, int threads, std::string_view level) {
  const hinge::Gradient<Value> gradient{at<const Value>(values), examples, units, positions,
                                        units_last};
  for_units(units, examples * units * positions, units_last || positions == 1, threads, level,
            [&](Count first, Count last, hinge::Level best) {
              HINGE_AT(best, signs(gradient, first, last, out));
            });
}

// Counts and squares of all units, in memory of its own.
struct Found {
  std::vector<Count> counts;
  std::vector<double> squares;
  hinge::Signs signs;

  explicit Found(Count n)
      : counts(3 * n), squares(n),
        signs{counts.data(), counts.data() + n, counts.data() + 2 * n, squares.data()} {}
};

double mark(Address gradient, bool is_double, Count examples, Count units, Count positions,
            bool units_last, Address marks, Address clock, int threads, std::string_view level) {
  const Found found(units);
  const auto count = is_double ? signs_at<double> : signs_at<float>;
  count(gradient, examples, units, positions, units_last, found.signs, threads, level);
  Count* marked = at<Count>(marks);
  const Count step = *at<const Count>(clock);
  double total = 0;
  for (Count unit = 0; unit < units; ++unit) {
    total += found.squares[unit];
    if (found.signs.nonzero[unit] == 0) continue;
    marked[unit] += marked[units + unit] != step;  // once a step, however many passes it has
    marked[units + unit] = step;
  }
  return total;
}

void signs(Address gradient, bool is_double, Count rows, Count columns, Address positive,
           Address negative, Address squares, int threads, std::string_view level) {
  std::vector<Count> nonzero(rows);
  const hinge::Signs out{at<Count>(positive), at<Count>(negative), nonzero.data(),
                         at<double>(squares)};
  const auto count = is_double ? signs_at<double> : signs_at<float>;
  // A row without columns is an example without values: nothing is read of it.
  count(gradient, columns == 0 ? 0 : 1, rows, columns, false, out, threads, level);
}

}  // namespace

void hinge::bind_glance(nb::module_& module) {
  module.def("glance", &glance, nb::arg("z"), nb::arg("is_double"), nb::arg("examples"),
             nb::arg("units"), nb::arg("positions"), nb::arg("units_last"), nb::arg("counts"),
             nb::arg("reals"), nb::arg("clock"), nb::arg("kink"), nb::arg("low"), nb::arg("high"),
             nb::arg("threads") = 1, nb::arg("level") = "");
  module.def("mark", &mark, nb::arg("gradient"), nb::arg("is_double"), nb::arg("examples"),
             nb::arg("units"), nb::arg("positions"), nb::arg("units_last"), nb::arg("marks"),
             nb::arg("clock"), nb::arg("threads") = 1, nb::arg("level") = "");
  module.def("signs", &signs, nb::arg("gradient"), nb::arg("is_double"), nb::arg("rows"),
             nb::arg("columns"), nb::arg("positive"), nb::arg("negative"), nb::arg("squares"),
             nb::arg("threads") = 1, nb::arg("level") = "");
}
