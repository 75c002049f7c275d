// Programs are put together here, operation by operation.
#include "program.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "rounding.hpp"

namespace hinge::regions {
namespace {

struct Reads {
  std::vector<int> operator()(const Linear& one) const { return {one.source}; }
  std::vector<int> operator()(const Total& one) const { return one.sources; }
  std::vector<int> operator()(const Join& one) const { return one.sources; }
  std::vector<int> operator()(const Bend& one) const { return {one.source}; }
  std::vector<int> operator()(const Larger& one) const { return {one.source}; }
  std::vector<int> operator()(const Fold& one) const { return {one.source}; }
};

Doubles lined(std::span<const double> numbers) {
  Doubles row(padded(static_cast<int>(numbers.size())), 0.0);
  std::copy(numbers.begin(), numbers.end(), row.begin());
  return row;
}

void measure_row(Linear& linear, std::span<const double> weights, double bias) {
  double squares = 0, sum = std::abs(bias);
  for (const double weight : weights) squares += weight * weight, sum += std::abs(weight);
  linear.lengths.push_back(std::sqrt(squares) + std::abs(bias));
  linear.sums.push_back(sum);
  linear.largest_sum = std::max(linear.largest_sum, sum);
}

// The measure of each kind of operation's result, from those of what it reads.
struct Measured {
  const Program& program;

  Measure begun(int buffer) const {
    Measure measure;
    measure.scale.assign(padded(program.widths[buffer]), 0.0);
    return measure;
  }
  const Measure& of(int buffer) const { return program.measures[buffer]; }

  // Rounding by one unit changes number i by errors(i).
  template <class Errors>
  static void round(Measure& measure, int width, Errors errors) {
    double squares = 0;
    for (int i = 0; i < width; ++i) {
      const double error = errors(i);
      squares += error * error;
      if (measure.scale[i] > 0)
        measure.rounding = std::max(measure.rounding, error / measure.scale[i]);
    }
    if (measure.norm > 0)
      measure.rounding = std::max(measure.rounding, std::sqrt(squares) / measure.norm);
    measure.rounding *= kMargin;
  }

  Measure operator()(const Linear& one) const {
    Measure measure = begun(one.target);
    const Measure& source = of(one.source);
    measure.norm = kMargin * one.norm * source.norm;
    const int width = program.widths[one.target];
    for (int i = 0; i < width; ++i) measure.scale[i] = kMargin * one.lengths[i] * source.norm;
    if (measure.norm == 0) measure.norm = 1;
    round(measure, width, [&](int i) { return one.sums[i]; });
    return measure;
  }
  Measure operator()(const Total& one) const {
    Measure measure = begun(one.target);
    measure.norm = 0;
    for (const int source : one.sources) {
      measure.norm += of(source).norm;
      for (std::size_t i = 0; i < measure.scale.size(); ++i)
        measure.scale[i] += of(source).scale[i];
    }
    round(measure, program.widths[one.target], [](int) { return 1.0; });
    return measure;
  }
  Measure operator()(const Join& one) const {
    Measure measure = begun(one.target);
    double squares = 0;
    std::size_t first = 0;
    for (const int source : one.sources) {
      const int width = program.widths[source];
      std::copy_n(of(source).scale.begin(), width, measure.scale.begin() + first);
      squares += of(source).norm * of(source).norm;
      first += width;
    }
    measure.norm = std::sqrt(squares);
    return measure;
  }
  Measure operator()(const Bend& one) const {
    Measure measure = begun(one.target);
    const double steepest = std::max(one.steepest, 1e-300);
    measure.norm = steepest * of(one.source).norm;
    for (std::size_t i = 0; i < measure.scale.size(); ++i) {
      const double scale = of(one.source).scale[i];
      measure.scale[i] = scale > 0 ? steepest * scale : measure.norm;  // a constant is rounded too
    }
    round(measure, program.widths[one.target], [](int) { return 1.0; });
    return measure;
  }
  Measure operator()(const Larger& one) const {
    Measure measure = begun(one.target);
    const Measure& source = of(one.source);
    for (std::size_t i = 0; i < one.first.size(); ++i)
      measure.scale[i] = std::max(source.scale[one.first[i]], source.scale[one.second[i]]);
    std::vector<int> uses(program.widths[one.source], 1);
    for (std::size_t i = 0; i < one.first.size(); ++i) ++uses[one.first[i]], ++uses[one.second[i]];
    measure.norm = source.norm * std::sqrt(*std::max_element(uses.begin(), uses.end()));
    return measure;
  }
  Measure operator()(const Fold& one) const {
    const Measure& source = of(one.source);
    if (one.direct) return source;
    Measure measure;
    measure.scale.assign(padded(one.forms()), 0.0);
    std::vector<int> uses(program.widths[one.source], 1);
    for (int i = 0; i < one.forms(); ++i) {
      measure.scale[i] = source.scale[one.columns[i]];
      ++uses[one.columns[i]];
    }
    measure.norm = source.norm * std::sqrt(*std::max_element(uses.begin(), uses.end()));
    return measure;
  }
};

// Whether bounds in this measure can be computed with doubles.
bool sound(const Operation& operation, const Measure& measure) {
  const auto* linear = std::get_if<Linear>(&operation);
  for (std::size_t i = 0; linear && i < linear->sums.size(); ++i)
    if (linear->sums[i] > 0 && !(measure.scale[i] > 1e-290)) return false;
  for (const double scale : measure.scale)
    if (!(scale < 1e290)) return false;
  return measure.norm < 1e290;
}

Measure inverted(Measure measure) {
  measure.per_scale.assign(measure.scale.size(), 0.0);
  for (std::size_t i = 0; i < measure.scale.size(); ++i)
    if (measure.scale[i] > 0) measure.per_scale[i] = kMargin / measure.scale[i];
  return measure;
}

int target_of(const Operation& operation) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.target; })
          return one.target;
        else
          return -1;
      },
      operation);
}

}  // namespace

Program::Program(std::vector<int> given) : widths(std::move(given)) { widths.push_back(0); }

void Program::add(Operation operation) { operations.push_back(std::move(operation)); }

void Program::add_linear(int source, int target, std::span<const double> matrix,
                         std::span<const double> bias, double norm) {
  const int inputs = widths.at(source), outputs = widths.at(target), lines = padded(outputs);
  Dense dense{Doubles(static_cast<std::size_t>(lines) * inputs, 0.0), lined(bias), inputs};
  Linear linear{source, target, {}, inputs, norm, {}, {}};
  for (int out = 0; out < outputs; ++out) {
    const auto weights = matrix.subspan(static_cast<std::size_t>(out) * inputs, inputs);
    for (int in = 0; in < inputs; ++in)
      dense.packed[(static_cast<std::size_t>(out / kLine) * inputs + in) * kLine + out % kLine] =
          weights[in];
    measure_row(linear, weights, bias[out]);
  }
  linear.matrix = std::move(dense);
  add(std::move(linear));
}

void Program::add_linear(int source, int target, std::span<const std::int64_t> starts,
                         std::span<const std::int32_t> inputs, std::span<const double> weights,
                         std::span<const double> bias, double norm) {
  Linear linear{source, target, {}, 0, norm, {}, {}};
  for (int out = 0; out < widths.at(target); ++out) {
    const std::int64_t terms = starts[out + 1] - starts[out];
    linear.terms = std::max(linear.terms, static_cast<int>(terms));
    measure_row(linear, weights.subspan(starts[out], terms), bias[out]);
  }
  linear.matrix = Rare{{starts.begin(), starts.end()},
                       {inputs.begin(), inputs.end()},
                       {weights.begin(), weights.end()},
                       lined(bias)};
  add(std::move(linear));
}

void Program::add_fold(int source, std::vector<std::int32_t> columns, std::vector<double> breaks) {
  const int forms = static_cast<int>(columns.size());
  bool direct = forms == widths.at(source);
  for (int i = 0; i < forms; ++i) direct = direct && columns[i] == i && breaks[i] == 0;
  const int words_here = (forms + 63) / 64;
  add(Fold{source, folds++, words, std::move(columns), std::move(breaks), direct, {}});
  words += words_here;
  widths.back() = std::max(widths.back(), forms);
}

void Program::close() {
  last_read.assign(widths.size(), -1);
  int last_fold = -1;
  for (int i = 0; i < static_cast<int>(operations.size()); ++i)
    if (std::holds_alternative<Fold>(operations[i])) last_fold = i;
  operations.resize(last_fold + 1);
  for (int i = 0; i <= last_fold; ++i) {
    for (const int source : std::visit(Reads{}, operations[i])) last_read.at(source) = i;
    const auto* fold = std::get_if<Fold>(&operations[i]);
    const int times = fold ? (fold->forms() + 63) / 64 : 1;
    for (int word = 0; word < times; ++word) steps.push_back({i, word});
  }
  zeros_read.assign(widths.size(), false);
  for (const Operation& operation : operations) {
    const auto* linear = std::get_if<Linear>(&operation);
    const bool asks = linear ? std::holds_alternative<Rare>(linear->matrix)
                             : !std::holds_alternative<Total>(operation);
    if (asks && !std::holds_alternative<Bend>(operation))
      for (const int source : std::visit(Reads{}, operation)) zeros_read.at(source) = true;
  }
  measures.assign(widths.size(), {});
  measures[0].scale.assign(padded(widths[0]), 1.0);
  measures[0] = inverted(std::move(measures[0]));
  for (Operation& operation : operations) {
    Measure measure = inverted(std::visit(Measured{*this}, operation));
    measured = measured && sound(operation, measure);
    if (auto* fold = std::get_if<Fold>(&operation))
      fold->measure = std::move(measure);
    else
      measures[target_of(operation)] = std::move(measure);
  }
}

}  // namespace hinge::regions
