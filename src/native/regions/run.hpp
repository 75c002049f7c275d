// What all pieces of one run share: its program, its limits, and whoever is asked or told.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "../levels.hpp"
#include "program.hpp"

namespace hinge::regions {

// How a vertex came to be: on the edge between `a` and `b`, where a form of a fold vanishes.
// A corner of the domain has fold -1, and its number as `a`.
struct Birth {
  std::int64_t id, a, b, fold, form;
};

// Whose signs are wanted: of all forms of a fold at a vertex.
struct Wanted {
  std::int64_t id, fold;
};

struct Built;

struct Run {
  const Program& program;
  std::vector<double> corners;  // of the domain, `dimension` numbers each
  int dimension;
  Level level;
  // Decides signs exactly; the answers for all that is wanted, one after the other.
  std::function<std::vector<std::int8_t>(const std::vector<Birth>&, const std::vector<Wanted>&)>
      decide;
  // Called now and then by the thread that began the run; false stops it.
  std::function<bool()> look;
  // Takes over each piece of the domain as it is done, in their order; then nothing is kept. Empty:
  // the pieces are sewn together.
  std::function<void(Built)> hand_over;
  std::int64_t most_cells;
  std::int64_t most_bytes;
  std::chrono::steady_clock::time_point end;
  bool count_only;
  int threads;
  int together;  // cells that are refined as one piece

  std::atomic<std::int64_t> cells = 0, bytes = 0, serials = 0;
  std::atomic<std::int64_t> sharpened = 0, decided = 0;
  std::atomic<std::int64_t> pieces = 0, pieces_done = 0;
  std::atomic<bool> stopped = false;

  // Whether to go on, with `more` cells at work that are not counted yet.
  bool goes_on(std::int64_t more) {
    if (cells.load(std::memory_order_relaxed) + more > most_cells ||
        bytes.load(std::memory_order_relaxed) > most_bytes ||
        std::chrono::steady_clock::now() > end)
      stopped.store(true, std::memory_order_relaxed);
    return !stopped.load(std::memory_order_relaxed);
  }
};

}  // namespace hinge::regions
