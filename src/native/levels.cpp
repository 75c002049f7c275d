// Asks the processor which levels it knows.
#include "levels.hpp"

#ifdef HINGE_X86_LEVELS
#include <cpuid.h>
#endif

namespace hinge {

#ifdef HINGE_X86_LEVELS
namespace {

// The conversion of 16-bit floats; not every compiler's __builtin_cpu_supports has a name for it.
bool knows_f16c() {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

}  // namespace
#endif

const std::vector<Level>& levels() {
  static const std::vector<Level> known = [] {
    std::vector<Level> found{Level::baseline};
#ifdef HINGE_X86_LEVELS
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !knows_f16c())
      return found;
    found.insert(found.begin(), Level::avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
      found.insert(found.begin(), Level::avx512);
#endif
    return found;
  }();
  return known;
}

}  // namespace hinge
