// The same operations as in points.cpp, on one point at a time. A vertex is found again from how it
// came to be, up to the corners of the domain, so that no error of a double is carried along.
#include "precise.hpp"

#include <algorithm>
#include <cmath>

#include "rounding.hpp"
#include "rows.hpp"

namespace hinge::regions {
namespace {

constexpr std::size_t kMost = 2048;  // vertices that are remembered

}  // namespace

double PreciseRow::largest() const {
  double most = 0;
  for (const double number : high) most = std::max(most, std::abs(number));
  return most;
}

Deciding deciding(const Program& program, const PreciseRows& rows, const Fold& fold, int form) {
  const PreciseRow& row = rows[fold.source];
  const int column = fold.columns[form];
  const Twofold value = row.at(column) - Twofold{fold.breaks[form], 0};
  const double size = std::abs(row.high[column]) + std::abs(fold.breaks[form]);
  return {value, kMargin * (row.error * program.measures[fold.source].scale[column] + Twofold::kError * size)};
}

const PreciseRows& Precise::rows(std::int64_t id, int operation) {
  if (known_.size() > kMost) known_.clear();
  Known& own = known(id);
  proceed(own, operation);
  return own.rows;
}

Precise::Known& Precise::known(std::int64_t id) {
  const auto found = known_.find(id);
  if (found != known_.end()) return found->second;
  Known fresh;
  locate(fresh, birth_(id));
  return known_.emplace(id, std::move(fresh)).first->second;
}

void Precise::locate(Known& own, const Birth& born) {
  if (born.fold < 0) {
    for (int i = 0; i < run_.dimension; ++i)
      own.place[i] = {run_.corners[static_cast<std::size_t>(born.a) * run_.dimension + i], 0};
    own.error = 0;
  } else {
    int operation = 0;
    const Fold* fold = nullptr;
    for (std::int64_t left = born.fold; left >= 0; ++operation) {
      fold = std::get_if<Fold>(&run_.program.operations[operation]);
      if (fold) --left;
    }
    Known& first = known(born.a);
    proceed(first, operation - 1);
    const Deciding at_a = deciding(run_.program, first.rows, *fold, static_cast<int>(born.form));
    const auto place_a = first.place;
    const double error_a = first.error;
    Known& second = known(born.b);
    proceed(second, operation - 1);
    const Deciding at_b = deciding(run_.program, second.rows, *fold, static_cast<int>(born.form));
    const Twofold way = at_a.value - at_b.value;
    Twofold t = at_a.value / way;
    const bool placed = t.high >= 0 && t.high <= 1;
    if (!placed) t = {0.5, 0};
    const double missed = (1 - t.high) * at_a.error + t.high * at_b.error;
    const double length = magnitude(way) - at_a.error - at_b.error;
    const double astray = placed && length > missed ? missed / length + 8 * Twofold::kError : 1.0;
    double apart = 0, size = 0;
    for (int i = 0; i < run_.dimension; ++i) {
      const Twofold between = second.place[i] - place_a[i];
      own.place[i] = place_a[i] + t * between;
      apart += magnitude(between);
      size += magnitude(place_a[i]) + magnitude(second.place[i]);
    }
    own.error = kMargin * ((1 - t.high) * error_a + t.high * second.error +
                           astray * (apart + error_a + second.error) +
                           4 * Twofold::kError * size);
  }
  own.rows.resize(run_.program.widths.size());
  PreciseRow& row = open(own, 0);
  for (int i = 0; i < run_.dimension; ++i) row.high[i] = own.place[i].high, row.low[i] = own.place[i].low;
  row.error = own.error;
}

PreciseRow& Precise::open(Known& own, int buffer) const {
  PreciseRow& row = own.rows[buffer];
  const int width = padded(run_.program.widths[buffer]);
  row.high.assign(width, 0.0), row.low.assign(width, 0.0);
  row.error = 0;
  return row;
}

void Precise::proceed(Known& own, int operation) {
  for (; own.done < operation; ++own.done)
    std::visit([&](const auto& one) { run(own, one); }, run_.program.operations[own.done]);
}

void Precise::run(Known& own, const Linear& linear) const {
  PreciseRow& target = open(own, linear.target);
  const PreciseRow& source = own.rows[linear.source];
  if (const auto* dense = std::get_if<Dense>(&linear.matrix)) {
    const Panels panels{dense->packed.data(), dense->bias.data(), dense->inputs,
                        static_cast<int>(target.high.size())};
    HINGE_AT(run_.level, precisely(panels, source.high.data(), source.low.data(),
                                   target.high.data(), target.low.data()));
  } else {
    const auto& rare = std::get<Rare>(linear.matrix);
    const Sparse sparse{rare.starts.data(), rare.inputs.data(), rare.weights.data(),
                        rare.bias.data(), run_.program.widths[linear.target]};
    HINGE_AT(run_.level, precisely(sparse, source.high.data(), source.low.data(),
                                   target.high.data(), target.low.data()));
  }
  const double rounding = (4.0 * linear.terms + 16) * kUnit;
  target.error = kMargin * (source.error + rounding * rounding * rounded(linear.target) *
                                               std::max(source.largest(), 1.0));
}

void Precise::run(Known& own, const Total& total) const {
  PreciseRow& target = open(own, total.target);
  double size = 0;
  for (const int one : total.sources) {
    const PreciseRow& source = own.rows[one];
    for (std::size_t i = 0; i < target.high.size(); ++i) {
      const Twofold sum = target.at(i) + source.at(i);
      target.high[i] = sum.high, target.low[i] = sum.low;
    }
    size += source.largest();
    target.error = std::max(target.error, source.error);
  }
  target.error = kMargin * (target.error + static_cast<double>(total.sources.size()) *
                                               Twofold::kError * rounded(total.target) * size);
}

void Precise::run(Known& own, const Join& join) const {
  PreciseRow& target = open(own, join.target);
  std::size_t first = 0;
  for (const int one : join.sources) {
    const PreciseRow& source = own.rows[one];
    const int width = run_.program.widths[one];
    std::copy_n(source.high.begin(), width, target.high.begin() + first);
    std::copy_n(source.low.begin(), width, target.low.begin() + first);
    target.error = std::max(target.error, source.error);
    first += width;
  }
}

void Precise::run(Known& own, const Bend& bend) const {
  PreciseRow& target = open(own, bend.target);
  const PreciseRow& source = own.rows[bend.source];
  const int n = bend.n_breaks;
  double size = 0;
  for (std::size_t i = 0; i < bend.heights.size(); ++i) {
    const Twofold x = source.at(i);
    const double *breaks = &bend.breaks[i * n], *slopes = &bend.slopes[i * (n + 1)];
    Twofold value{bend.heights[i], 0};
    if (x < Twofold{breaks[0], 0})
      value = value + Twofold{slopes[0], 0} * (x - Twofold{breaks[0], 0});
    for (int k = 0; k < n && Twofold{breaks[k], 0} < x; ++k) {
      const bool beyond = k + 1 < n && Twofold{breaks[k + 1], 0} < x;
      const Twofold to = beyond ? Twofold{breaks[k + 1], 0} : x;
      value = value + Twofold{slopes[k + 1], 0} * (to - Twofold{breaks[k], 0});
    }
    target.high[i] = value.high, target.low[i] = value.low;
    size = std::max(size, std::abs(bend.heights[i]) +
                              bend.steepest * (std::abs(breaks[0]) + std::abs(breaks[n - 1])));
  }
  target.error = kMargin * (source.error + (4 * n + 4) * Twofold::kError * rounded(bend.target) *
                                               (size + bend.steepest * source.largest()));
}

void Precise::run(Known& own, const regions::Larger& larger) const {
  PreciseRow& target = open(own, larger.target);
  const PreciseRow& source = own.rows[larger.source];
  for (std::size_t i = 0; i < larger.first.size(); ++i) {
    const Twofold a = source.at(larger.first[i]), b = source.at(larger.second[i]);
    const Twofold& most = a < b ? b : a;
    target.high[i] = most.high, target.low[i] = most.low;
  }
  target.error = source.error;
}

}  // namespace hinge::regions
