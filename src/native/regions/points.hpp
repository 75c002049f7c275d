// The vertices of one piece of the domain: where they are, the values of all live buffers there,
// and on which side of each form they lie.
//
// Every row has an error bound, in the measure of its buffer. Where a
// form is nearer to zero than that, the vertex is computed once more in twice the precision; where
// that does not decide either, the sign is asked for exactly.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "bit_rows.hpp"
#include "precise.hpp"
#include "run.hpp"

namespace hinge::regions {

// Rows of one buffer, a row to a vertex, and their errors in the buffer's measure. Where it is
// known of some numbers that they are exactly zero, `zeros` has a bit for each: a network is zero
// in many places for a reason (a unit is off, a pixel black), and no error bound could tell.
struct Rows {
  int step = 0;
  Doubles numbers;
  std::vector<double> errors;
  BitRows zeros;
  const Measure* measure = nullptr;  // of a buffer that is live

  double* row(std::int64_t vertex) { return numbers.data() + vertex * step; }
  const double* row(std::int64_t vertex) const { return numbers.data() + vertex * step; }
};

class Points {
 public:
  // The corners of the domain.
  explicit Points(Run& run);
  // Those vertices of `other`, which must outlive this.
  Points(const Points& other, const std::vector<std::int32_t>& vertices);

  std::int32_t count() const { return static_cast<std::int32_t>(ids_.size()); }
  const std::vector<double>& coordinates() const { return coordinates_; }

  // Fills the buffers of an operation that is no fold, at every vertex.
  void perform(int operation);
  // Finds on which side of 64 forms of a fold each vertex lies.
  void take_sides(const Step& step);
  // Adds the vertex between a and b where form `bit` of these 64 vanishes.
  std::int32_t between(std::int32_t a, std::int32_t b, int bit);
  // Remembers which of 64 forms are not positive, once their step is over.
  void note_off();
  // Lets go of what no operation after this one reads.
  void forget(int operation);

  std::uint64_t positive(std::int32_t vertex) const { return positive_[vertex]; }
  std::uint64_t negative(std::int32_t vertex) const { return negative_[vertex]; }
  std::uint64_t valid() const { return valid_; }

 private:
  Rows& open(int buffer, int width, const Measure& measure);
  Rows& open(int buffer) {
    return open(buffer, program_.widths[buffer], program_.measures[buffer]);
  }
  void run(const Linear&, bool& exact);
  void run(const Total&, bool& exact);
  void run(const Join&, bool& exact);
  void run(const Bend&, bool& exact);
  void run(const regions::Larger&, bool& exact);
  void run(const Fold&, bool&) {}
  void gather(const Fold& fold);
  void find_zeros(const Linear&, const Rows& source, Rows& target) const;
  void find_zeros(const Bend&, const Rows& source, Rows& target) const;
  double size_of(const Rows& rows, std::int32_t vertex) const;
  Rows& forms() { return rows_[fold_->direct ? fold_->source : program_.forms_buffer()]; }
  std::uint64_t look(std::int32_t vertex);
  bool mix_exactly(std::int32_t a, std::int32_t b, double t, std::int32_t vertex);
  bool mix(std::int32_t a, std::int32_t b, double t, double astray, std::int32_t vertex);
  void decide_between(std::int32_t vertex, std::uint64_t open);
  void sharpen(std::int32_t vertex);
  std::uint64_t look_precisely(std::int32_t vertex);
  void settle(const std::vector<std::int32_t>& vertices, std::uint64_t asked);
  void settle_from(std::int32_t vertex, const std::int8_t* signs);
  void ancestors(std::int64_t id, std::vector<Birth>& found,
                 std::unordered_map<std::int64_t, bool>& seen) const;
  const Birth& birth(std::int64_t id) const;

  Run& run_;
  const Program& program_;
  const Points* parent_;
  std::int64_t serial_;
  std::vector<double> coordinates_;
  std::vector<std::int64_t> ids_;
  std::vector<Birth> births_;  // of this piece's own vertices
  std::vector<Rows> rows_;
  std::unique_ptr<Precise> precise_;  // made when first needed

  const Fold* fold_ = nullptr;
  int operation_ = 0;  // its number
  int word_ = 0;
  std::uint64_t valid_ = 0;
  BitRows off_;           // of a fold's source: numbers that a form found not to be positive
  int off_source_ = -1;
  std::vector<std::uint64_t> positive_, negative_;
  std::unordered_map<std::int32_t, std::vector<std::int8_t>> exact_signs_;  // of this fold
};

}  // namespace hinge::regions
