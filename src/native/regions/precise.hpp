// A program's values at a vertex in twice the precision, for signs that doubles leave open.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "run.hpp"
#include "twofold.hpp"

namespace hinge::regions {

// One buffer at one point, and its error in the buffer's measure.
struct PreciseRow {
  Doubles high, low;
  double error = 0;

  Twofold at(std::int64_t i) const { return {high[i], low[i]}; }
  double largest() const;
};

using PreciseRows = std::vector<PreciseRow>;

class Precise {
 public:
  // `birth` finds how a vertex came to be.
  Precise(const Run& run, std::function<const Birth&(std::int64_t)> birth)
      : run_(run), birth_(std::move(birth)) {}

  // All buffers that are filled before this operation, at a vertex.
  const PreciseRows& rows(std::int64_t id, int operation);
  // Where a vertex is.
  const std::array<Twofold, 2>& place(std::int64_t id) { return known(id).place; }

 private:
  struct Known {
    std::array<Twofold, 2> place;
    double error;
    int done = 0;  // operations
    PreciseRows rows;
  };

  Known& known(std::int64_t id);
  void locate(Known& own, const Birth& born);
  void proceed(Known& own, int operation);
  void run(Known& own, const Linear&) const;
  void run(Known& own, const Total&) const;
  void run(Known& own, const Join&) const;
  void run(Known& own, const Bend&) const;
  void run(Known& own, const regions::Larger&) const;
  void run(Known&, const Fold&) const {}
  PreciseRow& open(Known& own, int buffer) const;
  double rounded(int buffer) const { return run_.program.measures[buffer].rounding; }

  const Run& run_;
  std::function<const Birth&(std::int64_t)> birth_;
  std::unordered_map<std::int64_t, Known> known_;
};

// The number that decides a form of a fold at a point, and how far it may be off.
struct Deciding {
  Twofold value;
  double error;
};

Deciding deciding(const Program& program, const PreciseRows& rows, const Fold& fold, int form);

}  // namespace hinge::regions
