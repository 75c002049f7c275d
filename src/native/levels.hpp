// The instruction-set levels for which every kernel is compiled, and the choice at run time.
//
// A kernel's file is compiled once per level with HINGE_LEVEL set to the level's name, and
// puts what it defines into the namespace hinge::HINGE_LEVEL. One binary serves every
// machine of its architecture: the best level that the processor knows is called.
#pragma once

#include <string_view>
#include <vector>

namespace hinge {

enum class Level { baseline, avx2, avx512 };

constexpr std::string_view name_of(Level level) {
  switch (level) {
    case Level::avx2: return "avx2";
    case Level::avx512: return "avx512";
    default: return "baseline";
  }
}

// The levels that this binary holds and this processor runs, the best one first.
const std::vector<Level>& levels();

}  // namespace hinge

// HINGE_AT_EVERY_LEVEL(void kernel(int);) declares a kernel; HINGE_AT(level, kernel(1)) calls it.
#ifdef HINGE_X86_LEVELS
#define HINGE_AT_EVERY_LEVEL(...)   \
  namespace avx512 { __VA_ARGS__ }  \
  namespace avx2 { __VA_ARGS__ }    \
  namespace baseline { __VA_ARGS__ }
#define HINGE_AT(level, ...)                                   \
  ((level) == hinge::Level::avx512 ? hinge::avx512::__VA_ARGS__ \
   : (level) == hinge::Level::avx2 ? hinge::avx2::__VA_ARGS__   \
                                   : hinge::baseline::__VA_ARGS__)
#else
#define HINGE_AT_EVERY_LEVEL(...) \
  namespace baseline { __VA_ARGS__ }
#define HINGE_AT(level, ...) hinge::baseline::__VA_ARGS__
#endif
