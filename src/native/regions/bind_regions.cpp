// Subdivision for Python: programs are put together from arrays, results come back as arrays.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "../bindings.hpp"
#include "line.hpp"
#include "plane.hpp"
#include "program.hpp"

namespace nb = nanobind;

namespace hinge::regions {
namespace {

template <class Value>
using Given = nb::ndarray<const Value, nb::c_contig, nb::device::cpu>;

template <class Value>
std::span<const Value> all_of(const Given<Value>& array) {
  return {array.data(), array.size()};
}

template <class To, class From>
std::vector<To> listed(const Given<From>& array) {
  return {array.data(), array.data() + array.size()};
}

// An array that takes over a vector's memory.
template <class Value>
nb::object handed(std::vector<Value> values, std::vector<std::size_t> shape) {
  auto* kept = new std::vector<Value>(std::move(values));
  nb::capsule owner(kept, [](void* from) noexcept { delete static_cast<std::vector<Value>*>(from); });
  return nb::cast(
      nb::ndarray<nb::numpy, Value>(kept->data(), shape.size(), shape.data(), owner));
}

template <class Value>
nb::object handed(std::vector<Value> values, std::size_t columns) {
  const std::size_t rows = columns ? values.size() / columns : 0;
  return handed(std::move(values), std::vector{rows, columns});
}

template <class Value>
nb::object handed(std::vector<Value> values) {
  const std::size_t size = values.size();
  return handed(std::move(values), std::vector{size});
}

// The labels as numbers of sets of marks, and these sets.
void list_labels(std::vector<std::int32_t> labels, const Labels& known, nb::dict& result) {
  std::unordered_map<std::int32_t, std::int32_t> numbers;
  nb::list sets;
  for (std::int32_t& label : labels) {
    const auto [found, fresh] =
        numbers.emplace(label, static_cast<std::int32_t>(numbers.size()));
    if (fresh) {
      nb::list marks;
      for (const std::int32_t mark : known.marks(label)) marks.append(mark);
      sets.append(nb::tuple(marks));
    }
    label = found->second;
  }
  result["labels"] = handed(std::move(labels));
  result["label_sets"] = nb::tuple(sets);
}

// The exact signs from Python, which any thread may ask for.
auto asked(const nb::object& decide) {
  return [decide = decide.ptr()](const std::vector<Birth>& births,
                                 const std::vector<Wanted>& wanted) {
    const nb::gil_scoped_acquire lock;
    std::vector<std::int64_t> rows(births.size() * 5), pairs(wanted.size() * 2);
    std::memcpy(rows.data(), births.data(), rows.size() * sizeof rows[0]);
    std::memcpy(pairs.data(), wanted.data(), pairs.size() * sizeof pairs[0]);
    const nb::object answer =
        nb::handle(decide)(handed(std::move(rows), 5), handed(std::move(pairs), 2));
    return listed<std::int8_t>(nb::cast<Given<std::int8_t>>(answer));
  };
}

// Tells Python how far the work is. An exception there, such as Ctrl-C, is kept and ends it.
auto told(Run& run, const nb::object& look, nb::object& failure) {
  return [&run, look = look.ptr(), &failure] {
    const nb::gil_scoped_acquire lock;
    try {
      const nb::handle call(look);
      call(run.cells.load(), run.pieces_done.load(), run.pieces.load());
      if (PyErr_CheckSignals() != 0) throw nb::python_error();
      return true;
    } catch (nb::python_error& error) {
      if (failure.is_none()) failure = nb::borrow(error.value());
      return false;
    }
  };
}

struct Limits {
  std::int64_t cells, bytes;
  double seconds;
};

void report(nb::dict& result, const Run& run, bool complete, std::int64_t cells) {
  result["complete"] = complete;
  result["cells"] = run.count_only ? run.cells.load() : cells;
  result["sharpened"] = run.sharpened.load();
  result["decided"] = run.decided.load();
}

// Sets a run up, calls `cut` on it without Python's lock, and lists what came of it.
template <class Cut, class List>
nb::dict perform(const Program& program, std::vector<double> corners, int dimension,
                 const nb::object& decide, const nb::object& look,
                 const Limits& limits, bool count_only, int threads, int together,
                 std::string_view level, Cut cut, List list) {
  const auto now = std::chrono::steady_clock::now();
  const double seconds = std::min(limits.seconds, 1e9);
  Run run{program,
          std::move(corners),
          dimension,
          chosen(level),
          {},
          {},
          {},
          limits.cells,
          limits.bytes,
          now + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                    std::chrono::duration<double>(seconds)),
          count_only,
          threads,
          together};
  run.decide = asked(decide);
  nb::object failure = nb::none();
  run.look = told(run, look, failure);
  auto built = [&] {
    const nb::gil_scoped_release others_may_run;
    return cut(run);
  }();
  nb::dict result;
  result["failure"] = failure;
  list(run, std::move(built), result);
  return result;
}

void list_plane(const Run& run, Built built, nb::dict& result) {
  report(result, run, built.complete, built.cells);
  result["vertices"] = handed(std::move(built.coordinates), 2);
  result["edges"] = handed(std::move(built.ends), 2);
  list_labels(std::move(built.labels), built.label_sets, result);
  result["offsets"] = handed(std::move(built.offsets));
  result["sides"] = handed(std::move(built.sides));
  result["patterns"] = handed(std::move(built.patterns), run.program.words);
  result["flat"] = handed(std::move(built.flat), 2);
}

// Hands pieces of the domain to Python, from any thread.
auto handing(Run& run, const nb::object& each) {
  return [&run, each = each.ptr()](Built built) {
    const nb::gil_scoped_acquire lock;
    run.bytes -= built.bytes();
    nb::dict piece;
    list_plane(run, std::move(built), piece);
    const nb::handle call(each);
    call(piece);
  };
}

void list_line(const Run& run, BuiltLine built, nb::dict& result) {
  report(result, run, built.complete, built.pieces);
  result["points"] = handed(std::move(built.points));
  list_labels(std::move(built.labels), built.label_sets, result);
  result["patterns"] = handed(std::move(built.patterns), run.program.words);
  result["flat"] = handed(std::move(built.flat), 2);
}

void add_bend(Program& program, int source, int target, const Given<double>& breaks,
              const Given<double>& slopes, const Given<double>& heights) {
  const int n = static_cast<int>(breaks.size() / std::max<std::size_t>(heights.size(), 1));
  Bend bend{source, target, n, listed<double>(breaks), listed<double>(slopes),
            listed<double>(heights), 0, n == 1};
  for (const double slope : bend.slopes) bend.steepest = std::max(bend.steepest, std::abs(slope));
  for (std::size_t i = 0; i < bend.heights.size() && bend.rectifies; ++i)
    bend.rectifies = bend.breaks[i] == 0 && bend.heights[i] == 0 && bend.slopes[2 * i] == 0 &&
                     bend.slopes[2 * i + 1] == 1;
  program.add(std::move(bend));
}

}  // namespace
}  // namespace hinge::regions

void hinge::bind_regions(nb::module_& module) {
  using namespace regions;
  nb::class_<Program>(module, "RegionProgram")
      .def(nb::init<std::vector<int>>())
      .def("dense",
           [](Program& program, int source, int target, const Given<double>& matrix,
              const Given<double>& bias, double norm) {
             program.add_linear(source, target, all_of(matrix), all_of(bias), norm);
           })
      .def("sparse",
           [](Program& program, int source, int target, const Given<std::int64_t>& starts,
              const Given<std::int32_t>& inputs, const Given<double>& weights,
              const Given<double>& bias, double norm) {
             program.add_linear(source, target, all_of(starts), all_of(inputs), all_of(weights),
                                all_of(bias), norm);
           })
      .def("total", [](Program& program, std::vector<int> sources,
                       int target) { program.add(Total{std::move(sources), target}); })
      .def("join", [](Program& program, std::vector<int> sources,
                      int target) { program.add(Join{std::move(sources), target}); })
      .def("bend", &add_bend)
      .def("larger",
           [](Program& program, int source, int target, const Given<std::int64_t>& first,
              const Given<std::int64_t>& second) {
             program.add(regions::Larger{source, target, listed<std::int32_t>(first),
                                         listed<std::int32_t>(second)});
           })
      .def("fold",
           [](Program& program, int source, const Given<std::int64_t>& columns,
              const Given<double>& breaks) {
             program.add_fold(source, listed<std::int32_t>(columns), listed<double>(breaks));
           })
      .def("close", &Program::close);

  module.def(
      "cut_plane",
      [](const Program& program, const Given<double>& corners, const nb::object& decide,
         const nb::object& look, const nb::object& each, std::int64_t cells, std::int64_t bytes,
         double seconds, bool count_only, int threads, int together, std::string_view level) {
        const auto cut = [&](Run& run) {
          if (!each.is_none()) run.hand_over = handing(run, each);
          return cut_plane(run);
        };
        return perform(program, listed<double>(corners), 2, decide, look, {cells, bytes, seconds},
                       count_only, threads, together, level, cut, list_plane);
      },
      nb::arg("program"), nb::arg("corners"), nb::arg("decide"), nb::arg("look"),
      nb::arg("each").none(),
      nb::arg("cells"), nb::arg("bytes"), nb::arg("seconds"), nb::arg("count_only"),
      nb::arg("threads"), nb::arg("together"), nb::arg("level") = "");
  module.def(
      "cut_line",
      [](const Program& program, const nb::object& decide, const nb::object& look,
         std::int64_t cells, std::int64_t bytes, double seconds, bool count_only, int threads,
         int together, std::string_view level) {
        return perform(program, {0.0, 1.0}, 1, decide, look, {cells, bytes, seconds}, count_only,
                       threads, together, level, cut_line, list_line);
      },
      nb::arg("program"), nb::arg("decide"), nb::arg("look"), nb::arg("cells"),
      nb::arg("bytes"), nb::arg("seconds"), nb::arg("count_only"), nb::arg("threads"),
      nb::arg("together"), nb::arg("level") = "");
}
