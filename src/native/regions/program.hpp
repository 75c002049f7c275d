// A network on a domain as operations on buffers; see src/hinge/regions/programs/program.py.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "aligned.hpp"

namespace hinge::regions {

// In what measure a buffer's errors are counted. An error e of a row stands for: number i is at most
// e * scale[i] off, and the row's error as a vector is at most e * norm long. A point of the domain
// that is e off, in its own coordinates, makes such an error in every buffer: so errors neither
// grow nor shrink from layer to layer. Rounding in an operation adds `rounding` times the unit that
// it rounds to.
struct Measure {
  Doubles scale, per_scale;
  double norm = 1, rounding = 0;
};

struct Dense {
  Doubles packed, bias;  // see Panels
  int inputs;
};

struct Rare {  // most entries are zero; see Sparse
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> inputs;
  std::vector<double> weights;
  Doubles bias;
};

// target = matrix * source + bias. `terms` is the most products that any output sums, `norm` at
// least the matrix's spectral norm. Of each output: the length of its row of weights and its
// bias' magnitude together, and the sum of all their magnitudes.
struct Linear {
  int source, target;
  std::variant<Dense, Rare> matrix;
  int terms;
  double norm;
  std::vector<double> lengths, sums;
  double largest_sum = 0;
};

struct Total {
  std::vector<int> sources;
  int target;
};

struct Join {
  std::vector<int> sources;
  int target;
};

struct Bend {
  int source, target, n_breaks;
  std::vector<double> breaks, slopes, heights;
  double steepest;
  bool rectifies;  // all of it is max(0, x)
};

struct Larger {
  int source, target;
  std::vector<std::int32_t> first, second;
};

struct Fold {
  int source, number, first_word;
  std::vector<std::int32_t> columns;
  std::vector<double> breaks;
  bool direct;  // the forms are the source's own numbers, all of them in order
  Measure measure;

  int forms() const { return static_cast<int>(columns.size()); }
};

using Operation = std::variant<Linear, Total, Join, Bend, Larger, Fold>;

// One thing to do: an operation, or of a fold 64 of its forms.
struct Step {
  int operation, word;
};

struct Program {
  explicit Program(std::vector<int> widths);

  void add(Operation operation);
  void add_linear(int source, int target, std::span<const double> matrix,
                  std::span<const double> bias, double norm);
  void add_linear(int source, int target, std::span<const std::int64_t> starts,
                  std::span<const std::int32_t> inputs, std::span<const double> weights,
                  std::span<const double> bias, double norm);
  void add_fold(int source, std::vector<std::int32_t> columns, std::vector<double> breaks);
  // Finds when each buffer is last read, and its measure. Nothing is added afterwards.
  void close();

  // The buffer in which the forms of a fold stand while it is at work.
  int forms_buffer() const { return static_cast<int>(widths.size()) - 1; }

  std::vector<int> widths;     // of every buffer, the one for forms included
  std::vector<int> last_read;  // the last operation that reads it
  std::vector<bool> zeros_read;  // whether an operation asks which of its numbers are zero
  std::vector<Measure> measures;
  bool measured = true;  // false: some measure is too large or too small for a double
  std::vector<Operation> operations;
  std::vector<Step> steps;  // as far as the last fold
  int words = 0;            // of a pattern
  int folds = 0;
};

}  // namespace hinge::regions
