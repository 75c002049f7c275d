// Cells are cut by one form at a time. Only signs at vertices decide: which edges a form crosses,
// at which vertices it passes, which cells it leaves whole. No order along a line and no
// crossing of two lines is ever computed, so that nothing can contradict itself.
#include "patch.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <stdexcept>

namespace hinge::regions {

std::int64_t Built::bytes() const {
  return static_cast<std::int64_t>(8 * (coordinates.size() + offsets.size() + patterns.size()) +
                                   4 * (ends.size() + labels.size() + sides.size() + flat.size()));
}

Patch::Patch(Run& run) : run_(run), points_(run), patterns_(run.program.words) {
  const int n = points_.count();
  for (int i = 0; i < n; ++i) {
    new_edge(i, (i + 1) % n, -1 - i);
    rims_.push_back(2 * i);
  }
  for (int i = 0; i < n; ++i)
    next_[2 * i] = 2 * ((i + 1) % n), previous_[2 * i] = 2 * ((i + n - 1) % n);
  first_ = {0};
  patterns_.add_cell();
}

Patch::Patch(const Patch& other, const std::vector<std::int32_t>& cells)
    : Patch(other, cells, Found(other, cells)) {}

// The vertices and edges of some cells, in the order in which they are met.
Patch::Found::Found(const Patch& other, const std::vector<std::int32_t>& cells)
    : place_of_vertex(other.points_.count(), -1), place_of_edge(other.labels_.size(), -1) {
  for (const std::int32_t cell : cells) {
    std::int32_t half = other.first_[cell];
    do {
      std::int32_t& vertex = place_of_vertex[other.origin_[half]];
      if (vertex < 0) {
        vertex = static_cast<std::int32_t>(vertices.size());
        vertices.push_back(other.origin_[half]);
      }
      std::int32_t& edge = place_of_edge[half >> 1];
      if (edge < 0) {
        edge = static_cast<std::int32_t>(edges.size());
        edges.push_back(half >> 1);
      }
      half = other.next_[half];
    } while (half != other.first_[cell]);
  }
}

Patch::Patch(const Patch& other, const std::vector<std::int32_t>& cells, Found found)
    : run_(other.run_),
      points_(other.points_, found.vertices),
      patterns_(other.run_.program.words),
      vertices_within_(std::move(found.vertices)),
      edges_within_(std::move(found.edges)),
      label_sets_(other.label_sets_) {
  for (const std::int32_t edge : edges_within_)
    new_edge(found.place_of_vertex[other.origin_[2 * edge]],
             found.place_of_vertex[other.origin_[2 * edge + 1]], other.labels_[edge]);
  const auto here = [&](std::int32_t half) {
    return 2 * found.place_of_edge[half >> 1] + (half & 1);
  };
  for (const std::int32_t cell : cells) {
    std::int32_t half = other.first_[cell];
    do {
      const std::int32_t own = here(half), after = here(other.next_[half]);
      next_[own] = after, previous_[after] = own;
      half = other.next_[half];
    } while (half != other.first_[cell]);
  }
  for (std::int32_t half = 0; half < static_cast<std::int32_t>(next_.size()); ++half)
    if (next_[half] >= 0 && next_[half ^ 1] < 0) rims_.push_back(half);
  for (const std::int32_t cell : cells) {
    first_.push_back(here(other.first_[cell]));
    patterns_.add_like(other.patterns_, cell);
  }
}

std::int32_t Patch::new_edge(std::int32_t from, std::int32_t to, std::int32_t label) {
  check_room(labels_.size());
  const auto edge = static_cast<std::int32_t>(labels_.size());
  labels_.push_back(label);
  origin_.push_back(from), origin_.push_back(to);
  next_.push_back(-1), next_.push_back(-1);
  previous_.push_back(-1), previous_.push_back(-1);
  base_.push_back(from), base_.push_back(to);
  return edge;
}

void Patch::perform(const Step& step) {
  const Operation& operation = run_.program.operations[step.operation];
  const auto* one = std::get_if<Fold>(&operation);
  if (!one) {
    points_.perform(step.operation);
    return;
  }
  fold(*one, step);
  if (64 * (step.word + 1) >= one->forms()) points_.forget(step.operation);
}

void Patch::fold(const Fold& fold, const Step& step) {
  folding_ = &fold, word_ = step.word;
  points_.take_sides(step);
  base_ = origin_;
  const std::int32_t before = cells();
  for (std::int32_t cell = 0; cell < before; ++cell) {
    const std::int32_t fresh = cells();
    if (!cut_rim(cell)) continue;
    cut_until_whole(cell);  // what is cut off comes at the end of the list
    for (std::int32_t part = fresh; part < cells(); ++part) cut_until_whole(part);
    if ((cell & 255) == 255 && !run_.goes_on(at_stake())) return;
  }
  points_.note_off();
  mark_edges();
}

// Cuts all edges of a cell by all forms, and remembers where each form enters and leaves it: every
// point inside is then found between two points of the rim, and errors do not build up. False for
// a cell that no form cuts.
bool Patch::cut_rim(std::int32_t cell) {
  const Sides sides = sides_of(cell);
  const std::uint64_t cut = sides.positive & sides.negative;
  if (cut == 0) {
    close(cell, sides);
    return false;
  }
  for (std::uint64_t left = cut; left != 0; left &= left - 1)
    ends_[std::countr_zero(left)] = {-1, -1};
  std::int32_t half = first_[cell];
  do {
    std::int32_t a = origin_[half], b = end(half);
    for (;;) {
      const std::uint64_t across = (points_.positive(a) & points_.negative(b)) |
                                   (points_.negative(a) & points_.positive(b));
      if (across == 0) break;
      b = hit_inside(half, std::countr_zero(across)).vertex;
    }
    std::uint64_t zero = cut & ~(points_.positive(b) | points_.negative(b));
    for (; zero != 0; zero &= zero - 1) {
      auto& ends = ends_[std::countr_zero(zero)];
      ends[ends[0] >= 0] = b;
    }
    half = next_[half];
  } while (half != first_[cell]);
  return true;
}

Patch::Sides Patch::sides_of(std::int32_t cell) const {
  Sides sides{0, 0};
  std::int32_t half = first_[cell];
  do {
    sides.positive |= points_.positive(origin_[half]);
    sides.negative |= points_.negative(origin_[half]);
    half = next_[half];
  } while (half != first_[cell]);
  return sides;
}

// Notes on which side of each form a cell lies that none of them cuts.
void Patch::close(std::int32_t cell, const Sides& sides) {
  patterns_.note(cell, folding_->first_word + word_, sides.positive,
                 points_.valid() & ~(sides.positive | sides.negative));
}

void Patch::cut_until_whole(std::int32_t cell) {
  for (;;) {
    const Sides sides = sides_of(cell);
    const std::uint64_t both = sides.positive & sides.negative;
    if (both == 0) return close(cell, sides);
    cut(cell, std::countr_zero(both));
  }
}

// Cuts a cell in two where a form vanishes; the second part becomes a new cell.
void Patch::cut(std::int32_t cell, int bit) {
  const std::uint64_t mask = std::uint64_t{1} << bit;
  Hit hits[2];
  int found = 0;
  std::int32_t half = first_[cell];
  int here = side(origin_[half], mask);
  do {
    const int there = side(end(half), mask);
    if (there == 0 || here * there < 0) {
      if (found == 2) break;
      hits[found++] = there == 0 ? Hit{half, end(half)} : hit_inside(half, bit);
      if (there != 0) half = next_[half];
    }
    here = there;
    half = next_[half];
  } while (half != first_[cell]);
  if (found != 2 || half != first_[cell])
    throw std::logic_error("exact signs contradict one another");
  join(cell, hits[0], hits[1], bit);
}

// Adds a vertex to an edge. The half keeps the part that it begins with.
Patch::Hit Patch::hit_inside(std::int32_t half, int bit) {
  const std::int32_t edge = half >> 1, twin = half ^ 1;
  const std::int32_t base_from = base_[2 * edge], base_to = base_[2 * edge + 1];
  const std::int32_t vertex = points_.between(base_from, base_to, bit);
  const std::int32_t far = end(half);
  const std::int32_t beyond =
      2 * (half & 1 ? new_edge(far, vertex, labels_[edge]) : new_edge(vertex, far, labels_[edge])) +
      (half & 1);
  base_[beyond & ~1] = base_from, base_[beyond | 1] = base_to;
  next_[beyond] = next_[half], previous_[beyond] = half;
  if (next_[half] >= 0) previous_[next_[half]] = beyond;
  next_[half] = beyond;
  next_[beyond ^ 1] = twin, previous_[beyond ^ 1] = previous_[twin];
  if (previous_[twin] >= 0) next_[previous_[twin]] = beyond ^ 1;
  previous_[twin] = beyond ^ 1;
  origin_[twin] = vertex;
  return {half, vertex};
}

void Patch::join(std::int32_t cell, Hit a, Hit b, int bit) {
  const std::int32_t there = 2 * new_edge(a.vertex, b.vertex, 64 * (folding_->first_word + word_) + bit);
  const std::int32_t back = there + 1;
  base_[there] = ends_[bit][0], base_[back] = ends_[bit][1];
  const std::int32_t after_a = next_[a.before], after_b = next_[b.before];
  next_[a.before] = there, previous_[there] = a.before;
  next_[there] = after_b, previous_[after_b] = there;
  next_[b.before] = back, previous_[back] = b.before;
  next_[back] = after_a, previous_[after_a] = back;
  first_[cell] = back;
  first_.push_back(there);
  patterns_.add_like(patterns_, cell);
}

// Marks every edge with the forms that vanish along it, but for those that vanish beside it too.
void Patch::mark_edges() {
  std::vector<std::int32_t> cell_of;
  if (patterns_.some_flat()) cell_of = cell_of_halves();
  const std::int32_t first = 64 * (folding_->first_word + word_);
  for (std::int32_t edge = 0; edge < static_cast<std::int32_t>(labels_.size()); ++edge) {
    const std::int32_t a = origin_[2 * edge], b = origin_[2 * edge + 1];
    std::uint64_t zero = points_.valid() & ~(points_.positive(a) | points_.negative(a) |
                                             points_.positive(b) | points_.negative(b));
    for (; zero != 0; zero &= zero - 1)
      if (cell_of.empty() || !flat_beside(edge, zero & -zero, cell_of))
        labels_[edge] = label_sets_.with(labels_[edge], first + std::countr_zero(zero));
  }
}

// Whether a form is zero on all the cells that this piece has beside an edge.
bool Patch::flat_beside(std::int32_t edge, std::uint64_t bit,
                        const std::vector<std::int32_t>& cell_of) const {
  for (const std::int32_t half : {2 * edge, 2 * edge + 1})
    if (cell_of[half] >= 0 &&
        !(patterns_.flat(cell_of[half], folding_->first_word + word_) & bit))
      return false;
  return true;
}

std::vector<std::int32_t> Patch::cell_of_halves() const {
  std::vector<std::int32_t> cell_of(next_.size(), -1);
  for (std::int32_t cell = 0; cell < cells(); ++cell) {
    std::int32_t half = first_[cell];
    do {
      cell_of[half] = cell;
      half = next_[half];
    } while (half != first_[cell]);
  }
  return cell_of;
}

std::vector<std::vector<std::int32_t>> Patch::groups(int most) const {
  std::vector<std::array<double, 2>> middles(cells());
  const std::vector<double>& at = points_.coordinates();
  for (std::int32_t cell = 0; cell < cells(); ++cell) {
    std::int32_t half = first_[cell];
    double x = 0, y = 0, n = 0;
    do {
      x += at[2 * origin_[half]], y += at[2 * origin_[half] + 1], n += 1;
      half = next_[half];
    } while (half != first_[cell]);
    middles[cell] = {x / n, y / n};
  }
  std::vector<std::vector<std::int32_t>> found;
  std::vector<std::int32_t> all(cells());
  std::iota(all.begin(), all.end(), 0);
  const auto halve = [&](auto&& again, std::int32_t* begin, std::int32_t* stop) -> void {
    if (stop - begin <= most) {
      found.emplace_back(begin, stop);
      std::sort(found.back().begin(), found.back().end());
      return;
    }
    std::array<double, 2> low{1e308, 1e308}, high{-1e308, -1e308};
    for (const std::int32_t* cell = begin; cell != stop; ++cell)
      for (int i = 0; i < 2; ++i) {
        low[i] = std::min(low[i], middles[*cell][i]);
        high[i] = std::max(high[i], middles[*cell][i]);
      }
    const int axis = high[0] - low[0] >= high[1] - low[1] ? 0 : 1;
    std::int32_t* middle = begin + (stop - begin) / 2;
    std::nth_element(begin, middle, stop, [&](std::int32_t a, std::int32_t b) {
      return std::pair(middles[a][axis], a) < std::pair(middles[b][axis], b);
    });
    again(again, begin, middle);
    again(again, middle, stop);
  };
  halve(halve, all.data(), all.data() + all.size());
  return found;
}

// The halves inside that a rim edge has become, from its first vertex to its second.
std::vector<std::int32_t> Patch::rim(std::size_t number) const {
  std::vector<std::int32_t> halves;
  for (std::int32_t outside = rims_[number] ^ 1; outside >= 0; outside = previous_[outside])
    halves.push_back(outside ^ 1);
  return halves;
}

Built Patch::built() const {
  Built out;
  out.complete = true;
  out.cells = cells();
  if (run_.count_only) return out;
  out.coordinates = points_.coordinates();
  out.ends = origin_;
  out.labels = labels_;
  out.label_sets = label_sets_;
  out.patterns = patterns_.rows();
  for (std::int32_t cell = 0; cell < cells(); ++cell) {
    std::int32_t half = first_[cell];
    do {
      out.sides.push_back(half);
      half = next_[half];
    } while (half != first_[cell]);
    out.offsets.push_back(static_cast<std::int64_t>(out.sides.size()));
    patterns_.list_flat(cell, cell, out.flat);
  }
  for (std::size_t i = 0; i < rims_.size(); ++i) out.rims.push_back(rim(i));
  return out;
}

}  // namespace hinge::regions
