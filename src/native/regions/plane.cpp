// Step after step on the whole polygon until it has many cells; then group by group, each to its
// end before the next begins, so that what is held at once stays small. Only the first division is
// spread over threads; what the groups are does not depend on how many there are.
#include "plane.hpp"

#include <algorithm>

#include "seams.hpp"
#include "work.hpp"

namespace hinge::regions {
namespace {

Built refine(Run& run, Patch& patch, std::size_t step, bool outermost);

constexpr int kOutermost = 48;

struct Part {
  Patch patch;
  Built built;
};

Built divide(Run& run, Patch& patch, std::size_t step, bool outermost) {
  // The outermost pieces are many, so that no thread waits long for another's last one.
  const int most = outermost ? std::clamp(patch.cells() / kOutermost, 1, run.together / 4)
                             : run.together / 4;
  const auto groups = patch.groups(most);
  Seams seams(patch);
  const auto make = [&](std::int64_t i) {
    Part part{Patch(patch, groups[i]), {}};
    part.built = refine(run, part.patch, step, false);
    return part;
  };
  const auto take = [&](std::int64_t, Part part) { seams.add(part.patch, part.built); };
  if (outermost && run.hand_over) {
    bool complete = true;
    in_order(run, static_cast<std::int64_t>(groups.size()), make, [&](std::int64_t, Part part) {
      complete = complete && part.built.complete;
      if (part.built.complete) run.hand_over(std::move(part.built));
    });
    Built nothing_left;
    nothing_left.complete = complete;
    return nothing_left;
  }
  if (outermost) {
    in_order(run, static_cast<std::int64_t>(groups.size()), make, take);
    return seams.finish();
  }
  for (std::size_t i = 0; i < groups.size() && !run.stopped; ++i)
    take(i, make(static_cast<std::int64_t>(i)));
  if (run.stopped) return {};
  return seams.finish();
}

Built refine(Run& run, Patch& patch, std::size_t step, bool outermost) {
  const auto& steps = run.program.steps;
  for (; step < steps.size(); ++step) {
    if (!run.goes_on(patch.at_stake())) return {};
    if (outermost && !run.look()) run.stopped = true;
    if (patch.cells() > run.together) return divide(run, patch, step, outermost);
    patch.perform(steps[step]);
  }
  if (!run.goes_on(patch.cells())) return {};
  Built built = patch.built();
  patch.release();
  run.cells += built.cells;
  run.bytes += built.bytes();
  return built;
}

}  // namespace

Built cut_plane(Run& run) {
  Patch patch(run);
  return refine(run, patch, 0, true);
}

}  // namespace hinge::regions
