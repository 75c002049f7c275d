// Two pieces that share an edge have cut it at the same places, in the same order: signs at
// vertices alone decide where. What the first of them made of it, the second one takes over.
#include "seams.hpp"

#include <algorithm>
#include <stdexcept>

namespace hinge::regions {

Seams::Seams(const Patch& whole) : whole_(whole), seams_(whole.labels_.size()) {
  out_.complete = true;
  out_.coordinates = whole.points_.coordinates();
  out_.label_sets = whole.label_sets_;
}

void Seams::add(const Patch& part, const Built& built) {
  out_.complete = out_.complete && built.complete;
  out_.cells += built.cells;
  if (built.offsets.size() == 1) return;  // counted, or given up
  vertices_.assign(built.coordinates.size() / 2, -1);
  std::copy(part.vertices_within_.begin(), part.vertices_within_.end(), vertices_.begin());
  halves_.assign(built.labels.size(), -1);
  map_rims(part, built);
  map_rest(built);
  add_cells(built);
}

std::int32_t Seams::new_vertex(const Built& built, std::int32_t vertex) {
  if (vertices_[vertex] < 0) {
    vertices_[vertex] = static_cast<std::int32_t>(out_.coordinates.size() / 2);
    out_.coordinates.push_back(built.coordinates[2 * vertex]);
    out_.coordinates.push_back(built.coordinates[2 * vertex + 1]);
  }
  return vertices_[vertex];
}

std::int32_t Seams::new_edge(const Built& built, std::int32_t edge) {
  check_room(out_.labels.size());
  const auto half = 2 * static_cast<std::int32_t>(out_.labels.size());
  out_.ends.push_back(new_vertex(built, built.ends[2 * edge]));
  out_.ends.push_back(new_vertex(built, built.ends[2 * edge + 1]));
  out_.labels.push_back(out_.label_sets.translated(built.label_sets, built.labels[edge]));
  halves_[edge] = half;
  return half;
}

void Seams::map_rims(const Patch& part, const Built& built) {
  for (std::size_t i = 0; i < built.rims.size(); ++i) {
    const std::int32_t within = part.rims_[i];
    const bool backwards = within & 1;
    std::vector<std::int32_t> chain = built.rims[i];
    if (backwards) {
      std::reverse(chain.begin(), chain.end());
      for (std::int32_t& half : chain) half ^= 1;
    }
    std::vector<std::int32_t>& seam = seams_[part.edges_within_[within >> 1]];
    if (seam.empty()) {
      for (const std::int32_t half : chain) {
        const std::int32_t fresh = new_edge(built, half >> 1);
        seam.push_back(fresh ^ (half & 1));
      }
      continue;
    }
    if (seam.size() != chain.size()) throw std::logic_error("two pieces cut an edge differently");
    for (std::size_t k = 0; k < chain.size(); ++k) {
      const std::int32_t edge = chain[k] >> 1, known = seam[k] >> 1;
      halves_[edge] = seam[k] ^ (chain[k] & 1);
      vertices_[built.ends[chain[k] & 1 ? 2 * edge : 2 * edge + 1]] =
          out_.ends[seam[k] & 1 ? 2 * known : 2 * known + 1];
      for (const std::int32_t mark : built.label_sets.marks(built.labels[edge]))
        out_.labels[known] = out_.label_sets.with(out_.labels[known], mark);
    }
  }
}

void Seams::map_rest(const Built& built) {
  for (std::size_t edge = 0; edge < halves_.size(); ++edge)
    if (halves_[edge] < 0) new_edge(built, static_cast<std::int32_t>(edge));
}

void Seams::add_cells(const Built& built) {
  const auto cells = static_cast<std::int32_t>(out_.offsets.size() - 1);
  const auto sides = static_cast<std::int64_t>(out_.sides.size());
  for (const std::int32_t half : built.sides) out_.sides.push_back(mapped(half));
  for (std::size_t i = 1; i < built.offsets.size(); ++i)
    out_.offsets.push_back(sides + built.offsets[i]);
  out_.patterns.insert(out_.patterns.end(), built.patterns.begin(), built.patterns.end());
  for (std::size_t i = 0; i < built.flat.size(); i += 2)
    out_.flat.push_back(cells + built.flat[i]), out_.flat.push_back(built.flat[i + 1]);
}

Built Seams::finish() {
  for (std::size_t i = 0; i < whole_.rims_.size() && out_.complete; ++i) {
    std::vector<std::int32_t> halves;
    for (const std::int32_t half : whole_.rim(i)) {
      std::vector<std::int32_t> chain = seams_[half >> 1];
      if (half & 1) {
        std::reverse(chain.begin(), chain.end());
        for (std::int32_t& one : chain) one ^= 1;
      }
      halves.insert(halves.end(), chain.begin(), chain.end());
    }
    out_.rims.push_back(std::move(halves));
  }
  return std::move(out_);
}

}  // namespace hinge::regions
