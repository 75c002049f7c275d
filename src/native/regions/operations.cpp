// The operations of a program on the rows of all vertices, with bounds on what they round.
#include <algorithm>
#include <cmath>
#include <limits>

#include "points.hpp"
#include "rounding.hpp"
#include "rows.hpp"

namespace hinge::regions {

void Points::run(const Linear& linear, bool& exact) {
  Rows& target = open(linear.target);
  const Rows& source = rows_[linear.source];
  if (const auto* dense = std::get_if<Dense>(&linear.matrix)) {
    const Panels panels{dense->packed.data(), dense->bias.data(), dense->inputs, target.step};
    HINGE_AT(run_.level, multiply(panels, source.numbers.data(), source.step, count(),
                                  target.numbers.data(), target.step));
  } else {
    const auto& rare = std::get<Rare>(linear.matrix);
    const Sparse sparse{rare.starts.data(), rare.inputs.data(), rare.weights.data(),
                        rare.bias.data(), program_.widths[linear.target]};
    HINGE_AT(run_.level, multiply(sparse, source.numbers.data(), source.step, count(),
                                  target.numbers.data(), target.step));
  }
  exact = nothing_rounded();
  const double rounding = exact ? 0 : gamma(linear.terms) * target.measure->rounding;
  for (std::int32_t v = 0; v < count(); ++v) {
    const double size = exact ? 0 : HINGE_AT(run_.level, largest(source.row(v), source.step));
    target.errors[v] = kMargin * (source.errors[v] + rounding * std::max(size, 1.0));
    if (!exact && !(size * linear.largest_sum < 1e300))
      target.errors[v] = std::numeric_limits<double>::infinity();
  }
  find_zeros(linear, source, target);
}

// A number is zero where it has no bias, and nothing but zeros is weighed.
void Points::find_zeros(const Linear& linear, const Rows& source, Rows& target) const {
  const auto* rare = std::get_if<Rare>(&linear.matrix);
  const int width = program_.widths[linear.target];
  std::vector<int> never, perhaps;
  for (int i = 0; i < width; ++i) {
    if (linear.sums[i] == 0) never.push_back(i);
    if (rare && source.zeros.known() && linear.sums[i] != 0 && rare->bias[i] == 0)
      perhaps.push_back(i);
  }
  if (never.empty() && perhaps.empty()) return;
  target.zeros = BitRows(count(), width);
  for (std::int32_t v = 0; v < count(); ++v) {
    for (const int i : never) target.zeros.set(v, i);
    for (const int i : perhaps) {
      std::int64_t k = rare->starts[i];
      while (k < rare->starts[i + 1] && source.zeros.at(v, rare->inputs[k])) ++k;
      if (k == rare->starts[i + 1]) target.zeros.set(v, i);
    }
  }
}

// A unit's output is zero where the unit is off.
void Points::find_zeros(const Bend& bend, const Rows& source, Rows& target) const {
  const bool folded = off_source_ == bend.source;
  target.zeros = folded ? off_ : BitRows(count(), program_.widths[bend.target]);
  for (std::int32_t v = 0; v < count(); ++v) {
    const double* row = source.row(v);
    const double *scale = source.measure->scale.data(), error = source.errors[v];
    for (int i = 0; i < program_.widths[bend.target] && program_.measured; ++i)
      if (row[i] < -error * scale[i] || (source.zeros.known() && source.zeros.at(v, i)))
        target.zeros.set(v, i);
  }
}

void Points::run(const Total& total, bool& exact) {
  Rows& target = open(total.target);
  for (const int one : total.sources) {
    const Rows& source = rows_[one];
    for (std::size_t i = 0; i < target.numbers.size(); ++i)
      target.numbers[i] += source.numbers[i];
  }
  exact = nothing_rounded();
  const double rounding =
      exact ? 0 : gamma(static_cast<double>(total.sources.size())) * target.measure->rounding;
  for (std::int32_t v = 0; v < count(); ++v) {
    double size = 0;
    for (const int one : total.sources) {
      const Rows& source = rows_[one];
      target.errors[v] = std::max(target.errors[v], source.errors[v]);
      size += HINGE_AT(run_.level, largest(source.row(v), source.step));
    }
    target.errors[v] = kMargin * (target.errors[v] + rounding * size);
  }
}

void Points::run(const Join& join, bool&) {
  Rows& target = open(join.target);
  int first = 0;
  for (const int one : join.sources) {
    const Rows& source = rows_[one];
    const int width = program_.widths[one];
    for (std::int32_t v = 0; v < count(); ++v) {
      std::copy_n(source.row(v), width, target.row(v) + first);
      target.errors[v] = std::max(target.errors[v], source.errors[v]);
    }
    if (source.zeros.known() && !target.zeros.known())
      target.zeros = BitRows(count(), program_.widths[join.target]);
    for (std::int32_t v = 0; v < count() && source.zeros.known(); ++v)
      for (int i = 0; i < width; ++i)
        if (source.zeros.at(v, i)) target.zeros.set(v, first + i);
    first += width;
  }
}

void Points::run(const Bend& bend, bool& exact) {
  Rows& target = open(bend.target);
  const Rows& source = rows_[bend.source];
  const int width = program_.widths[bend.target], n = bend.n_breaks;
  if (bend.rectifies) {
    for (std::size_t i = 0; i < target.numbers.size(); ++i)
      target.numbers[i] = source.numbers[i] > 0 ? source.numbers[i] : 0;
    target.errors = source.errors;
    if (program_.zeros_read[bend.target]) find_zeros(bend, source, target);
    return;
  }
  double reach = 0;  // how large anything that is rounded can be, but for the input's own size
  for (int i = 0; i < width; ++i)
    reach = std::max(reach, std::abs(bend.heights[i]) +
                                bend.steepest * (std::abs(bend.breaks[i * n]) +
                                                 std::abs(bend.breaks[i * n + n - 1])));
  for (std::int32_t v = 0; v < count(); ++v)
    for (int i = 0; i < width; ++i) {
      const double x = source.row(v)[i];
      const double *breaks = &bend.breaks[i * n], *slopes = &bend.slopes[i * (n + 1)];
      double value = bend.heights[i];
      if (x < breaks[0]) value += slopes[0] * (x - breaks[0]);
      for (int k = 0; k < n && x > breaks[k]; ++k) {
        const double to = k + 1 < n ? std::min(x, breaks[k + 1]) : x;
        value += slopes[k + 1] * (to - breaks[k]);
      }
      target.row(v)[i] = value;
    }
  exact = nothing_rounded();
  const double rounding = exact ? 0 : gamma(4.0 * n + 4) * target.measure->rounding;
  for (std::int32_t v = 0; v < count(); ++v) {
    const double size = HINGE_AT(run_.level, largest(source.row(v), source.step));
    target.errors[v] = kMargin * (source.errors[v] + rounding * (reach + bend.steepest * size));
  }
}

void Points::run(const regions::Larger& larger, bool&) {
  Rows& target = open(larger.target);
  const Rows& source = rows_[larger.source];
  for (std::int32_t v = 0; v < count(); ++v) {
    const double* from = source.row(v);
    double* to = target.row(v);
    for (std::size_t i = 0; i < larger.first.size(); ++i)
      to[i] = std::max(from[larger.first[i]], from[larger.second[i]]);
  }
  target.errors = source.errors;
  if (!source.zeros.known()) return;
  target.zeros = BitRows(count(), program_.widths[larger.target]);
  for (std::int32_t v = 0; v < count(); ++v)
    for (std::size_t i = 0; i < larger.first.size(); ++i)
      if (source.zeros.at(v, larger.first[i]) && source.zeros.at(v, larger.second[i]))
        target.zeros.set(v, static_cast<int>(i));
}

// The forms stand in a buffer of their own where they are not just the source's numbers.
void Points::gather(const Fold& fold) {
  Rows& target = open(program_.forms_buffer(), fold.forms(), fold.measure);
  const Rows& source = rows_[fold.source];
  await_rounding();
  for (std::int32_t v = 0; v < count(); ++v)
    for (int i = 0; i < fold.forms(); ++i)
      target.row(v)[i] = source.row(v)[fold.columns[i]] - fold.breaks[i];
  const bool exact = nothing_rounded();
  for (std::int32_t v = 0; v < count(); ++v)
    target.errors[v] =
        exact ? source.errors[v]
              : kMargin * (source.errors[v] + kUnit * size_of(target, v));
  if (!source.zeros.known()) return;
  target.zeros = BitRows(count(), fold.forms());
  for (std::int32_t v = 0; v < count(); ++v)
    for (int i = 0; i < fold.forms(); ++i)
      if (fold.breaks[i] == 0 && source.zeros.at(v, fold.columns[i])) target.zeros.set(v, i);
}

}  // namespace hinge::regions
