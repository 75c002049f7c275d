// The same walk as on a plane, on a list of pieces in a row.
#include "line.hpp"

#include <bit>

#include "patterns.hpp"
#include "points.hpp"
#include "work.hpp"

namespace hinge::regions {
namespace {

// A stretch of the segment, in pieces that are linked in their order.
class Stretch {
 public:
  explicit Stretch(Run& run) : run_(run), points_(run), patterns_(run.program.words) {
    labels_ = {-1, -2};
    pieces_.push_back({0, 1, 0, 1, -1});
    patterns_.add_cell();
  }

  // Some neighbouring pieces of another stretch, which must outlive this.
  Stretch(const Stretch& other, const std::vector<std::int32_t>& pieces)
      : run_(other.run_),
        points_(other.points_, vertices_of(other, pieces)),
        patterns_(other.run_.program.words),
        label_sets_(other.label_sets_) {
    for (const std::int32_t vertex : vertices_of(other, pieces))
      labels_.push_back(other.labels_[vertex]);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const auto at = static_cast<std::int32_t>(i);
      const bool last = i + 1 == pieces.size();
      pieces_.push_back({at, at + 1, at, at + 1, last ? -1 : at + 1});
      patterns_.add_like(other.patterns_, pieces[i]);
    }
  }

  std::int32_t pieces() const { return static_cast<std::int32_t>(pieces_.size()); }

  void perform(const Step& step) {
    const Operation& operation = run_.program.operations[step.operation];
    const auto* one = std::get_if<Fold>(&operation);
    if (!one) return points_.perform(step.operation);
    fold(*one, step);
    if (64 * (step.word + 1) >= one->forms()) points_.forget(step.operation);
  }

  std::vector<std::int32_t> order() const {
    std::vector<std::int32_t> found;
    for (std::int32_t piece = 0; piece >= 0; piece = pieces_[piece].next) found.push_back(piece);
    return found;
  }

  BuiltLine built() const {
    BuiltLine out;
    out.complete = true;
    out.pieces = pieces();
    if (run_.count_only) return out;
    const std::vector<std::int32_t> row = order();
    const std::size_t words = run_.program.words;
    out.label_sets = label_sets_;
    out.patterns.reserve(row.size() * words);
    for (const std::int32_t piece : row) {
      out.points.push_back(points_.coordinates()[pieces_[piece].from]);
      out.labels.push_back(labels_[pieces_[piece].from]);
      const std::uint64_t* pattern = patterns_.row(piece);
      out.patterns.insert(out.patterns.end(), pattern, pattern + words);
      patterns_.list_flat(piece, static_cast<std::int32_t>(out.points.size()) - 1, out.flat);
    }
    out.points.push_back(points_.coordinates()[pieces_[row.back()].to]);
    out.labels.push_back(labels_[pieces_[row.back()].to]);
    return out;
  }

 private:
  struct Piece {
    std::int32_t from, to;            // vertices
    std::int32_t base_from, base_to;  // between which it lay when this step began
    std::int32_t next;                // piece
  };

  static std::vector<std::int32_t> vertices_of(const Stretch& other,
                                               const std::vector<std::int32_t>& pieces) {
    std::vector<std::int32_t> found;
    for (const std::int32_t piece : pieces) found.push_back(other.pieces_[piece].from);
    found.push_back(other.pieces_[pieces.back()].to);
    return found;
  }

  void fold(const Fold& fold, const Step& step) {
    const int word = step.word;
    points_.take_sides(step);
    mark_ = 64 * (fold.first_word + word), word_ = fold.first_word + word;
    for (Piece& piece : pieces_) piece.base_from = piece.from, piece.base_to = piece.to;
    for (std::int32_t piece = 0; piece < pieces(); ++piece) cut_until_whole(piece);
    points_.note_off();
    mark_points();
  }

  void cut_until_whole(std::int32_t piece) {
    for (;;) {
      const auto [from, to, base_from, base_to, next] = pieces_[piece];
      const std::uint64_t both = (points_.positive(from) & points_.negative(to)) |
                                 (points_.negative(from) & points_.positive(to));
      if (both == 0) break;
      const int bit = std::countr_zero(both);
      const std::int32_t vertex = points_.between(base_from, base_to, bit);
      labels_.push_back(mark_ + bit);
      pieces_[piece].to = vertex, pieces_[piece].next = pieces();
      pieces_.push_back({vertex, to, base_from, base_to, next});
      patterns_.add_like(patterns_, piece);
    }
    const auto [from, to, base_from, base_to, next] = pieces_[piece];
    const std::uint64_t positive = points_.positive(from) | points_.positive(to);
    const std::uint64_t negative = points_.negative(from) | points_.negative(to);
    patterns_.note(piece, word_, positive, points_.valid() & ~(positive | negative));
  }

  // Marks every point with the forms that vanish there, but for those zero on both sides too.
  void mark_points() {
    std::uint64_t flat_before = ~std::uint64_t{0};
    for (std::int32_t piece = 0; piece >= 0; piece = pieces_[piece].next) {
      mark_point(pieces_[piece].from, flat_before & patterns_.flat(piece, word_));
      flat_before = patterns_.flat(piece, word_);
      if (pieces_[piece].next < 0) mark_point(pieces_[piece].to, flat_before);
    }
  }

  void mark_point(std::int32_t vertex, std::uint64_t flat_beside) {
    std::uint64_t zero = points_.valid() & ~flat_beside &
                         ~(points_.positive(vertex) | points_.negative(vertex));
    for (; zero != 0; zero &= zero - 1)
      labels_[vertex] = label_sets_.with(labels_[vertex], mark_ + std::countr_zero(zero));
  }

  Run& run_;
  Points points_;
  std::vector<Piece> pieces_;  // the first one is where the stretch begins
  std::vector<std::int32_t> labels_;
  Patterns patterns_;
  Labels label_sets_;
  std::int32_t mark_ = 0, word_ = 0;
};

// Joins stretches in their order; the last point of one is the first of the next.
void append(BuiltLine& out, BuiltLine part) {
  const bool goes_on = out.complete;
  if (goes_on) out.pieces += part.pieces;
  out.complete = out.complete && part.complete;
  if (!goes_on || part.points.empty()) return;
  const auto before = static_cast<std::int32_t>(out.points.empty() ? 0 : out.points.size() - 1);
  for (std::size_t i = 0; i < part.points.size(); ++i) {
    if (i == 0 && !out.points.empty()) {
      for (const std::int32_t mark : part.label_sets.marks(part.labels[0]))
        out.labels.back() = out.label_sets.with(out.labels.back(), mark);
      continue;
    }
    out.points.push_back(part.points[i]);
    out.labels.push_back(out.label_sets.translated(part.label_sets, part.labels[i]));
  }
  out.patterns.insert(out.patterns.end(), part.patterns.begin(), part.patterns.end());
  for (std::size_t i = 0; i < part.flat.size(); i += 2)
    out.flat.insert(out.flat.end(), {before + part.flat[i], part.flat[i + 1]});
}

BuiltLine refine(Run& run, Stretch& stretch, std::size_t step, bool outermost);

BuiltLine divide(Run& run, const Stretch& stretch, std::size_t step, bool outermost) {
  const std::vector<std::int32_t> row = stretch.order();
  const std::int64_t most = run.together / 4;
  const std::int64_t n = (static_cast<std::int64_t>(row.size()) + most - 1) / most;
  const auto make = [&](std::int64_t i) {
    const auto begin = row.begin() + i * most;
    const auto stop = i + 1 < n ? begin + most : row.end();
    Stretch part(stretch, {begin, stop});
    return refine(run, part, step, false);
  };
  BuiltLine out;
  out.complete = true;
  const auto take = [&](std::int64_t, BuiltLine part) { append(out, std::move(part)); };
  if (outermost)
    in_order(run, n, make, take);
  else
    for (std::int64_t i = 0; i < n; ++i) take(i, make(i));
  return out;
}

BuiltLine refine(Run& run, Stretch& stretch, std::size_t step, bool outermost) {
  const auto& steps = run.program.steps;
  for (; step < steps.size(); ++step) {
    if (!run.goes_on(outermost ? 0 : stretch.pieces())) return {};
    if (outermost && !run.look()) run.stopped = true;
    if (stretch.pieces() > run.together) return divide(run, stretch, step, outermost);
    stretch.perform(steps[step]);
  }
  if (!run.goes_on(stretch.pieces())) return {};
  BuiltLine built = stretch.built();
  run.cells += built.pieces;
  run.bytes += static_cast<std::int64_t>(8 * (built.points.size() + built.patterns.size()));
  return built;
}

}  // namespace

BuiltLine cut_line(Run& run) {
  Stretch stretch(run);
  return refine(run, stretch, 0, true);
}

}  // namespace hinge::regions
