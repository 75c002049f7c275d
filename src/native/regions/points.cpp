// Values at vertices, their error bounds, and signs that are certain.
//
// A product of n terms in floating point is within gamma = n u / (1 - n u) of the true one,
// relative to the sum of the terms' magnitudes, u = 2^-53 (Higham, Accuracy and Stability of
// Numerical Algorithms, 2nd ed., section 3.1). Where the processor reports that nothing was
// rounded, nothing is added to the errors: dyadic networks stay exact.
#include "points.hpp"

#include <algorithm>
#include <cfenv>
#include <cmath>

#include "rows.hpp"

namespace hinge::regions {
namespace {

constexpr double kUnit = 0x1p-53;
// Bounds are themselves rounded; this much more makes up for it.
constexpr double kMargin = 1.0 + 1e-9;

// A vertex whose values are so uncertain, relative to their size, is computed once more.
constexpr double kBlurred = 1e-5;

double gamma(double terms) { return kMargin * (terms + 4) * kUnit; }

void await_rounding() { std::feclearexcept(FE_INEXACT); }
bool nothing_rounded() { return !std::fetestexcept(FE_INEXACT); }

}  // namespace

Points::Points(Run& run)
    : run_(run),
      program_(run.program),
      parent_(nullptr),
      serial_(run.serials++),
      coordinates_(run.corners),
      rows_(run.program.widths.size()) {
  const int dimension = run.dimension, count = static_cast<int>(run.corners.size()) / dimension;
  for (int i = 0; i < count; ++i) {
    ids_.push_back(serial_ << 32 | i);
    births_.push_back({ids_.back(), i, 0, -1, 0});
  }
  Rows& own = open(0);
  for (int i = 0; i < count; ++i)
    std::copy_n(&run.corners[i * dimension], dimension, own.row(i));
}

Points::Points(const Points& other, const std::vector<std::int32_t>& vertices)
    : run_(other.run_),
      program_(other.program_),
      parent_(&other),
      serial_(other.run_.serials++),
      rows_(other.rows_.size()) {
  for (const std::int32_t vertex : vertices) {
    ids_.push_back(other.ids_[vertex]);
    const double* from = &other.coordinates_[static_cast<std::size_t>(vertex) * run_.dimension];
    coordinates_.insert(coordinates_.end(), from, from + run_.dimension);
  }
  births_.resize(vertices.size());
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Rows& old = other.rows_[i];
    if (!old.measure) continue;
    Rows& own = rows_[i];
    own.step = old.step, own.measure = old.measure;
    own.numbers.reserve(vertices.size() * old.step);
    for (const std::int32_t vertex : vertices) {
      own.numbers.insert(own.numbers.end(), old.row(vertex), old.row(vertex) + old.step);
      own.errors.push_back(old.errors[vertex]);
    }
  }
}

std::int64_t Points::bytes() const {
  std::int64_t doubles = static_cast<std::int64_t>(coordinates_.size());
  for (const Rows& rows : rows_) doubles += static_cast<std::int64_t>(rows.numbers.capacity());
  return 8 * doubles + static_cast<std::int64_t>(births_.size() * sizeof(Birth));
}

Rows& Points::open(int buffer, int width, const Measure& measure) {
  Rows& rows = rows_[buffer];
  rows.step = padded(width);
  rows.measure = &measure;
  rows.numbers.assign(static_cast<std::size_t>(count()) * rows.step, 0.0);
  rows.errors.assign(count(), 0.0);
  return rows;
}

void Points::perform(int operation) {
  await_rounding();
  bool exact = true;
  std::visit([&](const auto& one) { run(one, exact); }, program_.operations[operation]);
  forget(operation);
}

void Points::forget(int operation) {
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (rows_[i].measure && program_.last_read[i] <= operation) rows_[i] = Rows{};
}

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
}

// How large a row is in its buffer's measure.
double Points::size_of(const Rows& rows, std::int32_t vertex) const {
  return HINGE_AT(run_.level, measured(rows.row(vertex), rows.measure->per_scale.data(),
                                       rows.measure->norm, rows.step));
}

void Points::take_sides(const Step& step) {
  const auto& fold = std::get<Fold>(program_.operations[step.operation]);
  const int word = step.word;
  operation_ = step.operation;
  if (word == 0 && !fold.direct) gather(fold);
  if (word == 0 || fold_ != &fold) exact_signs_.clear();
  fold_ = &fold, word_ = word;
  const int left = fold.forms() - 64 * word;
  valid_ = left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
  positive_.resize(count()), negative_.resize(count());
  std::vector<std::int32_t> open_questions;
  for (std::int32_t v = 0; v < count(); ++v)
    if (look(v) != 0) open_questions.push_back(v);
  settle(open_questions, valid_);
}

// Takes the signs that the filter decides; the others come back.
std::uint64_t Points::look(std::int32_t vertex) {
  const Rows& rows = forms();
  const int first = 64 * word_, count = std::min(64, rows.step - first);
  const double reach = rows.errors[vertex];
  const Signs found = HINGE_AT(
      run_.level, signs(rows.row(vertex) + first, rows.measure->scale.data() + first, reach, count));
  positive_[vertex] = found.positive, negative_[vertex] = found.negative;
  return reach == 0 ? 0 : valid_ & ~(found.positive | found.negative);
}

std::int32_t Points::between(std::int32_t a, std::int32_t b, int bit) {
  const std::int32_t vertex = count();
  const int form = 64 * word_ + bit;
  Rows& deciding = forms();
  const double at_a = deciding.row(a)[form], at_b = deciding.row(b)[form];
  const double error_a = deciding.errors[a], error_b = deciding.errors[b];
  const double scale = deciding.measure->scale[form];

  // Whether nothing is rounded is asked where nothing was before: the question takes its time.
  const bool unrounded = error_a == 0 && error_b == 0;
  if (unrounded) await_rounding();
  volatile double place = at_a / (at_a - at_b);  // not to be moved beyond the question
  const bool placed = place >= 0 && place <= 1;  // otherwise a sign of the two is not what it seems
  const double t = placed ? place : 0.5;
  for (Rows& rows : rows_)
    if (rows.measure) rows.numbers.resize(rows.numbers.size() + rows.step);
  bool blurred = false;
  if (!unrounded || !mix_exactly(a, b, t, vertex)) {
    // The true place t* satisfies (t* - t) (z*(b) - z*(a)) = -((1 - t) e(a) + t e(b)), where e are
    // the errors of z at the ends.
    const double way = std::abs(at_a - at_b) - scale * (error_a + error_b);
    const double missed = scale * ((1 - t) * error_a + t * error_b);
    const bool near = placed && way > missed;
    blurred = mix(a, b, t, near ? missed / way + 4 * kUnit : 1.0, vertex);
  }
  for (int i = 0; i < run_.dimension; ++i) {
    const double from = coordinates_[static_cast<std::size_t>(a) * run_.dimension + i];
    const double to = coordinates_[static_cast<std::size_t>(b) * run_.dimension + i];
    coordinates_.push_back(from + t * (to - from));
  }
  ids_.push_back(serial_ << 32 | vertex);
  births_.push_back({ids_.back(), ids_[a], ids_[b], fold_->number, form});
  if (blurred) sharpen(vertex);

  // Forms are affine along the edge: only those with opposite signs at its ends are in question.
  const std::uint64_t rising = negative_[a] & positive_[b], falling = positive_[a] & negative_[b];
  const std::uint64_t open = (rising | falling) & ~(std::uint64_t{1} << bit);
  positive_.push_back((positive_[a] & ~negative_[b]) | (positive_[b] & ~negative_[a]));
  negative_.push_back((negative_[a] & ~positive_[b]) | (negative_[b] & ~positive_[a]));
  if (open != 0) decide_between(vertex, open);
  return vertex;
}

// Fills a vertex's rows. False if something was rounded.
bool Points::mix_exactly(std::int32_t a, std::int32_t b, double t, std::int32_t vertex) {
  for (Rows& rows : rows_)
    if (rows.measure)
      HINGE_AT(run_.level, mix(rows.row(a), rows.row(b), t, rows.row(vertex), rows.step));
  if (!nothing_rounded()) return false;
  for (Rows& rows : rows_)
    if (rows.measure)
      rows.errors.push_back(kMargin * ((1 - t) * rows.errors[a] + t * rows.errors[b]));
  return true;
}

// Fills a vertex's rows, where t may be so much astray. True if that leaves them blurred.
bool Points::mix(std::int32_t a, std::int32_t b, double t, double astray, std::int32_t vertex) {
  bool blurred = false;
  for (Rows& rows : rows_) {
    if (!rows.measure) continue;
    const Extent extent = HINGE_AT(
        run_.level, blend(rows.row(a), rows.row(b), t, rows.measure->per_scale.data(),
                          rows.measure->norm, rows.row(vertex), rows.step));
    const double ends = rows.errors[a] + rows.errors[b];
    const double added = astray * (extent.apart + ends) + 6 * kUnit * extent.size;
    rows.errors.push_back(kMargin * ((1 - t) * rows.errors[a] + t * rows.errors[b] + added));
    blurred = blurred || added > kBlurred * extent.size;
  }
  return blurred;
}

void Points::decide_between(std::int32_t vertex, std::uint64_t open) {
  const std::uint64_t positive = positive_[vertex], negative = negative_[vertex];
  if ((look(vertex) & open) != 0) settle({vertex}, open);
  positive_[vertex] = positive | (positive_[vertex] & open);
  negative_[vertex] = negative | (negative_[vertex] & open);
}

// Takes a vertex's place and values from twice the precision: their errors are a rounding's.
void Points::sharpen(std::int32_t vertex) {
  if (!precise_)
    precise_ = std::make_unique<Precise>(
        run_, [this](std::int64_t id) -> const Birth& { return birth(id); });
  const PreciseRows& precise = precise_->rows(ids_[vertex], operation_);
  for (int i = 0; i < run_.dimension; ++i)
    coordinates_[static_cast<std::size_t>(vertex) * run_.dimension + i] =
        precise_->place(ids_[vertex])[i].high;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    Rows& rows = rows_[i];
    if (!rows.measure) continue;
    double* row = rows.row(vertex);
    double error = 0;
    if (static_cast<int>(i) == program_.forms_buffer()) {
      for (int form = 0; form < fold_->forms(); ++form) {
        const Deciding found = deciding(program_, precise, *fold_, form);
        row[form] = found.value.high;
        error = std::max(error, found.error * rows.measure->per_scale[form]);
      }
    } else {
      std::copy_n(precise[i].high.begin(), rows.step, row);
      error = precise[i].error;
    }
    rows.errors[vertex] = kMargin * (error + kUnit * size_of(rows, vertex));
  }
  run_.sharpened += 1;
}

// Takes the signs that twice the precision decides; the others come back.
std::uint64_t Points::look_precisely(std::int32_t vertex) {
  sharpen(vertex);
  const PreciseRows& precise = precise_->rows(ids_[vertex], operation_);
  std::uint64_t& positive = positive_[vertex] = 0;
  std::uint64_t& negative = negative_[vertex] = 0;
  std::uint64_t open = 0;
  const int first = 64 * word_, last = std::min(first + 64, fold_->forms());
  for (int form = first; form < last; ++form) {
    const Deciding found = deciding(program_, precise, *fold_, form);
    const std::uint64_t bit = std::uint64_t{1} << (form - first);
    if (found.value.high > found.error)
      positive |= bit;
    else if (found.value.high < -found.error)
      negative |= bit;
    else
      open |= bit;
  }
  return open;
}

// Finds the signs that doubles leave open, of those forms that are asked for.
void Points::settle(const std::vector<std::int32_t>& vertices, std::uint64_t asked) {
  std::vector<std::int32_t> unknown;
  for (const std::int32_t vertex : vertices) {
    const auto known = exact_signs_.find(vertex);
    if (known != exact_signs_.end())
      settle_from(vertex, known->second.data());
    else if ((look_precisely(vertex) & asked) != 0)
      unknown.push_back(vertex);
  }
  if (unknown.empty()) return;
  std::vector<Birth> births;
  std::vector<Wanted> wanted;
  std::unordered_map<std::int64_t, bool> seen;
  for (const std::int32_t vertex : unknown) {
    ancestors(ids_[vertex], births, seen);
    wanted.push_back({ids_[vertex], fold_->number});
  }
  const std::vector<std::int8_t> signs = run_.decide(births, wanted);
  run_.decided += static_cast<std::int64_t>(unknown.size());
  const int forms = fold_->forms();
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    const std::int8_t* own = signs.data() + i * forms;
    exact_signs_[unknown[i]].assign(own, own + forms);
    settle_from(unknown[i], own);
  }
}

void Points::settle_from(std::int32_t vertex, const std::int8_t* signs) {
  positive_[vertex] = negative_[vertex] = 0;
  const int first = 64 * word_, last = std::min(first + 64, fold_->forms());
  for (int i = first; i < last; ++i) {
    positive_[vertex] |= static_cast<std::uint64_t>(signs[i] > 0) << (i - first);
    negative_[vertex] |= static_cast<std::uint64_t>(signs[i] < 0) << (i - first);
  }
}

const Birth& Points::birth(std::int64_t id) const {
  const Points* piece = this;
  while (piece->serial_ != id >> 32) piece = piece->parent_;
  return piece->births_[id & 0xffffffff];
}

// Those from which a vertex was made, and itself, parents first.
void Points::ancestors(std::int64_t id, std::vector<Birth>& found,
                       std::unordered_map<std::int64_t, bool>& seen) const {
  if (!seen.emplace(id, true).second) return;
  const Birth& born = birth(id);
  if (born.fold >= 0) {
    ancestors(born.a, found, seen);
    ancestors(born.b, found, seen);
  }
  found.push_back(born);
}

}  // namespace hinge::regions
