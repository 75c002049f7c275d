// Cuts a segment into the pieces on which a program is linear.
#pragma once

#include <cstdint>
#include <vector>

#include "labels.hpp"
#include "run.hpp"

namespace hinge::regions {

// See the Chain in src/hinge/regions/cutting/mesh.py.
struct BuiltLine {
  bool complete = false;
  std::int64_t pieces = 0;
  std::vector<double> points;
  std::vector<std::int32_t> labels;
  Labels label_sets;
  std::vector<std::uint64_t> patterns;
  std::vector<std::int32_t> flat;
};

// From the first of the run's two corners to the second. Complete, or what is complete of it, from its beginning on.
BuiltLine cut_line(Run& run);

}  // namespace hinge::regions
