// Vertices are made here: the corners of the domain, copies for a piece of it, and those between two.
#include "points.hpp"

#include <algorithm>
#include <cmath>

#include "rounding.hpp"
#include "rows.hpp"

namespace hinge::regions {
namespace {

// A vertex whose values are so uncertain, relative to their size, is computed once more.
constexpr double kBlurred = 1e-5;

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
  off_ = other.off_.chosen(vertices), off_source_ = other.off_source_;
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
    own.zeros = old.zeros.chosen(vertices);
  }
}

Rows& Points::open(int buffer, int width, const Measure& measure) {
  Rows& rows = rows_[buffer];
  rows.step = padded(width);
  rows.measure = &measure;
  rows.numbers.assign(static_cast<std::size_t>(count()) * rows.step, 0.0);
  rows.errors.assign(count(), 0.0);
  rows.zeros = {};
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

// How large a row is in its buffer's measure.
double Points::size_of(const Rows& rows, std::int32_t vertex) const {
  return HINGE_AT(run_.level, measured(rows.row(vertex), rows.measure->per_scale.data(),
                                       rows.measure->norm, rows.step));
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
  for (Rows& rows : rows_) {
    if (!rows.measure) continue;
    rows.numbers.resize(rows.numbers.size() + rows.step);
    rows.zeros.add_common(a, b);
  }
  off_.add_common(a, b);
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

}  // namespace hinge::regions
