// Asks the processor which levels it knows.
#include "levels.hpp"

namespace hinge {

const std::vector<Level>& levels() {
  static const std::vector<Level> known = [] {
    std::vector<Level> found{Level::baseline};
#ifdef HINGE_X86_LEVELS
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return found;
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
