// A piece of the plane, cut into convex cells that share their edges and vertices.
//
// Edge e has the halves 2e, from its first vertex to its second, and 2e + 1, backwards; a half
// has its cell on its left. The halves around a cell are linked into a ring. A half without a
// cell lies on the piece's rim.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

#include "labels.hpp"
#include "patterns.hpp"
#include "points.hpp"

namespace hinge::regions {

// A piece's cells as they are handed on; see the Mesh in src/hinge/regions/cutting/mesh.py.
struct Built {
  bool complete = false;
  std::int64_t cells = 0;
  std::vector<double> coordinates;
  std::vector<std::int32_t> ends;    // of each edge, two
  std::vector<std::int32_t> labels;  // of each edge
  Labels label_sets;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> sides;
  std::vector<std::uint64_t> patterns;
  std::vector<std::int32_t> flat;                // pairs: cell, mark
  std::vector<std::vector<std::int32_t>> rims;   // each rim edge of the piece, as halves inside it

  std::int64_t bytes() const;
};

// Halves are numbered with 32 bits.
inline void check_room(std::size_t edges) {
  if (edges >= std::size_t{1} << 30) throw std::length_error("more cells than can be kept");
}

class Patch {
 public:
  // The whole domain as one cell.
  explicit Patch(Run& run);
  // Some cells of another piece, which must outlive this.
  Patch(const Patch& other, const std::vector<std::int32_t>& cells);

  std::int32_t cells() const { return static_cast<std::int32_t>(first_.size()); }
  // Cells that will be found in vain if the run ends now. What the whole domain is cut into at first
  // does not count: its pieces are refined one by one.
  std::int64_t at_stake() const { return edges_within_.empty() ? 0 : cells(); }
  // Does one thing more.
  void perform(const Step& step);
  // The cells in groups that lie close together, each of at most `most`.
  std::vector<std::vector<std::int32_t>> groups(int most) const;
  // The cells as they are now.
  Built built() const;
  // Lets go of what only further steps would need.
  void release() { points_.forget(static_cast<int>(run_.program.operations.size())); }

 private:
  friend class Seams;

  struct Found {
    Found(const Patch& other, const std::vector<std::int32_t>& cells);

    std::vector<std::int32_t> vertices, edges;                // of the other piece
    std::vector<std::int32_t> place_of_vertex, place_of_edge;  // here, of each of the other piece
  };

  Patch(const Patch& other, const std::vector<std::int32_t>& cells, Found found);

  struct Hit {
    std::int32_t before;  // the half that ends at it
    std::int32_t vertex;
  };

  // The forms that are positive, and negative, somewhere in a cell.
  struct Sides {
    std::uint64_t positive, negative;
  };

  std::int32_t end(std::int32_t half) const { return origin_[half ^ 1]; }
  int side(std::int32_t vertex, std::uint64_t bit) const {
    return (points_.positive(vertex) & bit ? 1 : 0) - (points_.negative(vertex) & bit ? 1 : 0);
  }
  std::int32_t new_edge(std::int32_t from, std::int32_t to, std::int32_t label);
  void fold(const Fold& fold, const Step& step);
  bool cut_rim(std::int32_t cell);
  Sides sides_of(std::int32_t cell) const;
  void close(std::int32_t cell, const Sides& sides);
  void cut_until_whole(std::int32_t cell);
  void cut(std::int32_t cell, int bit);
  Hit hit_inside(std::int32_t half, int bit);
  void join(std::int32_t cell, Hit a, Hit b, int bit);
  void mark_edges();
  bool flat_beside(std::int32_t edge, std::uint64_t bit,
                   const std::vector<std::int32_t>& cell_of) const;
  std::vector<std::int32_t> cell_of_halves() const;
  std::vector<std::int32_t> rim(std::size_t number) const;

  Run& run_;
  Points points_;
  std::vector<std::int32_t> next_, previous_, origin_;  // of each half
  std::vector<std::int32_t> labels_;                    // of each edge
  // The vertices between which an edge's cuts are found: where it began and ended when this step
  // did, or where its form enters and leaves the cell of that time.
  std::vector<std::int32_t> base_;
  std::array<std::array<std::int32_t, 2>, 64> ends_;  // of each form, in the cell at hand
  std::vector<std::int32_t> first_;  // one half of each cell
  Patterns patterns_;
  std::vector<std::int32_t> rims_;            // the halves inside, of each rim edge at first
  std::vector<std::int32_t> vertices_within_; // of the other piece, where this one has its first
  std::vector<std::int32_t> edges_within_;
  Labels label_sets_;
  const Fold* folding_ = nullptr;
  int word_ = 0;
};

}  // namespace hinge::regions
