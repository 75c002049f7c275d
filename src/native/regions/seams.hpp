// Sews the pieces of a piece together again.
#pragma once

#include <cstdint>
#include <vector>

#include "patch.hpp"

namespace hinge::regions {

class Seams {
 public:
  explicit Seams(const Patch& whole);

  // Adds the cells that `part`, a piece of the whole, has become.
  void add(const Patch& part, const Built& built);
  // All of it, once every piece was added.
  Built finish();

 private:
  void map_rims(const Patch& part, const Built& built);
  void map_rest(const Built& built);
  void add_cells(const Built& built);
  std::int32_t new_vertex(const Built& built, std::int32_t vertex);
  std::int32_t new_edge(const Built& built, std::int32_t edge);
  std::int32_t mapped(std::int32_t half) const {
    return half & 1 ? halves_[half >> 1] ^ 1 : halves_[half >> 1];
  }

  const Patch& whole_;
  Built out_;
  std::vector<std::vector<std::int32_t>> seams_;  // what each edge of the whole has become
  // Of the part at hand: where its vertices and edges (as their first halves) went.
  std::vector<std::int32_t> vertices_, halves_;
};

}  // namespace hinge::regions
