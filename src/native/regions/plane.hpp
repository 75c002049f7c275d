// Cuts a convex polygon into the cells of a program.
#pragma once

#include "patch.hpp"
#include "run.hpp"

namespace hinge::regions {

// The run's corners are given counter-clockwise. Complete, or what is complete of it.
Built cut_plane(Run& run);

}  // namespace hinge::regions
