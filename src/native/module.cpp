// The door of the extension hinge.kernels._native. Each file bind_*.cpp opens one family of
// kernels; their types for Python stand in src/hinge/kernels/_native.pyi.
#include <nanobind/nanobind.h>

#include <algorithm>
#include <stdexcept>
#include <cstdint>
#include <string>

#include "bindings.hpp"
#include "pool.hpp"

namespace nb = nanobind;

hinge::Level hinge::chosen(std::string_view name) {
  const auto& known = levels();
  const auto found = std::find_if(known.begin(), known.end(), [&](Level level) {
    return name.empty() || name_of(level) == name;
  });
  if (found == known.end())
    throw std::invalid_argument("no such instruction-set level here: " + std::string(name));
  return *found;
}

NB_MODULE(_native, module) {
  module.doc() = "Hinge's kernels, compiled: one pass over the memory where torch would take many.";
  hinge::bind_tally(module);
  hinge::bind_glance(module);
  hinge::bind_elementwise(module);
  hinge::bind_structured(module);
  hinge::bind_regions(module);
#ifdef HINGE_X86_LEVELS
  module.attr("is_intel") = __builtin_cpu_is("intel") != 0;
#else
  module.attr("is_intel") = false;
#endif
  module.def("use_threads_of", [](std::uintptr_t parallel) {
    hinge::use_threads_of(reinterpret_cast<void*>(parallel));
  });
  nb::list names;
  for (const hinge::Level level : hinge::levels())
    names.append(std::string(hinge::name_of(level)).c_str());
  module.attr("levels") = nb::tuple(names);
}
