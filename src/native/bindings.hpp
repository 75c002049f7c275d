// What the files that open kernels to Python share.
#pragma once

#include <nanobind/nanobind.h>

#include <string_view>

#include "levels.hpp"

namespace hinge {

// The level of this name; the best one for an empty name. Raises ValueError for any other.
Level chosen(std::string_view name);

void bind_tally(nanobind::module_&);
void bind_glance(nanobind::module_&);
void bind_elementwise(nanobind::module_&);
void bind_structured(nanobind::module_&);
void bind_regions(nanobind::module_&);

}  // namespace hinge
