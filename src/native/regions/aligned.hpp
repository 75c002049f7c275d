// Arrays of doubles that begin where a cache line begins, so that no register is loaded from two.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace hinge::regions {

template <class Value>
struct OnCacheLines {
  using value_type = Value;
  static constexpr std::align_val_t line{64};

  OnCacheLines() = default;
  template <class Other>
  OnCacheLines(const OnCacheLines<Other>&) {}

  Value* allocate(std::size_t n) {
    return static_cast<Value*>(::operator new(n * sizeof(Value), line));
  }
  void deallocate(Value* from, std::size_t) { ::operator delete(from, line); }
  bool operator==(const OnCacheLines&) const { return true; }
};

using Doubles = std::vector<double, OnCacheLines<double>>;

// Rows are as long as whole cache lines; what lies beyond a row's own numbers is zero.
constexpr int kLine = 8;

constexpr int padded(int width) { return (width + kLine - 1) / kLine * kLine; }

}  // namespace hinge::regions
