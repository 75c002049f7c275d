// Cuts tensors to pieces that do not depend on the number of threads, and adds up in their order.
//
// Where a channel's values lie together in long rows, a piece is a part of a row. Otherwise the
// parameters are written out side by side, once for each value of a few rows, so that the
// processor's registers are filled also where there are few channels or few values in each.
#include "per_channel_work.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <vector>

#include "spread.hpp"

namespace hinge {
namespace {

constexpr std::int64_t kLongRow = 64;       // values of one channel that lie together
constexpr std::int64_t kPiece = 1 << 15;    // values that are worth a thread's while
constexpr std::int64_t kMostPieces = 64, kRows = 32;  // each piece has sums of its own for so many
constexpr std::int64_t kMultiple = 32;      // places that the kernels treat together
constexpr std::int64_t kFew = 512, kMany = 2048;  // places worth, and too many, to write out

std::int64_t rounded_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

std::int64_t size_of(Type type) { return type == Type::float32 ? 4 : 2; }

const void* moved(const void* from, Type type, std::int64_t values) {
  return static_cast<const char*>(from) + values * size_of(type);
}
void* moved(void* from, Type type, std::int64_t values) {
  return static_cast<char*>(from) + values * size_of(type);
}
ValuesOf moved(const ValuesOf& values, Type type, std::int64_t by) {
  return {moved(values.x, type, by), moved(values.y, type, by)};
}
GradientsOf moved(const GradientsOf& values, Type type, std::int64_t by) {
  return {moved(values.gradient, type, by), moved(values.x, type, by),
          moved(values.out, type, by)};
}

// One channel is one row, however many rows the tensor has.
Channels merged(const Channels& of) {
  return of.channels == 1 ? Channels{1, 1, of.outer * of.inner} : of;
}

// Long rows: each is cut to parts of at most kPiece values.
struct Rows {
  std::int64_t parts, pieces, together;  // so many pieces are worth a thread's while

  explicit Rows(const Channels& of)
      : parts(rounded_up(of.inner, kPiece)), pieces(of.outer * of.channels * parts),
        together(rounded_up(kPiece, of.inner)) {}

  // Calls body(start, channel, count).
  template <class Body>
  void piece(const Channels& of, std::int64_t number, Body body) const {
    const std::int64_t row = number / parts, start = number % parts * kPiece;
    body(row * of.inner + start, row % of.channels, std::min(of.inner - start, kPiece));
  }
};

// Numbers that begin a line of the cache, and so do not straddle two register by register.
class Lines {
 public:
  explicit Lines(std::int64_t size) : memory_(static_cast<std::size_t>(size) + kLine) {
    void* from = memory_.data();
    std::size_t room = memory_.size() * sizeof(float);
    data_ = static_cast<float*>(std::align(kLine * sizeof(float), sizeof(float), from, room));
  }
  float* data() const { return data_; }

 private:
  static constexpr std::size_t kLine = 16;
  std::vector<float> memory_;
  float* data_;
};

// Short rows: the parameters stand side by side, for `copies` entries of the outer axis.
struct Table {
  std::int64_t places, step, in_piece, pieces;
  std::optional<Lines> parameters;

  Table(const float* from, int count, const Channels& of) {
    const std::int64_t period = of.channels * of.inner;
    std::int64_t copies = kMultiple / std::gcd(period, kMultiple);
    if (copies * period > kMany) copies = 1;
    copies = std::min(copies * std::max<std::int64_t>(kFew / (copies * period), 1), of.outer);
    places = copies * period;
    step = places + kBeyond;
    const std::int64_t values = of.outer * period, rows = rounded_up(of.outer, copies);
    const std::int64_t most = std::min(rows / kRows, kMostPieces);
    const std::int64_t wanted = std::max<std::int64_t>(std::min(values / kPiece, most), 1);
    in_piece = rounded_up(rows, wanted) * places;
    pieces = rounded_up(values, in_piece);
    parameters.emplace(count * step);
    for (int k = 0; k < count; ++k) {
      float* const row = parameters->data() + k * step;
      each_place(of, [&](auto place, auto channel) { row[place] = from[k * of.channels + channel]; });
    }
  }

  // Calls body(place, channel).
  template <class Body>
  void each_place(const Channels& of, Body body) const {
    for (std::int64_t place = 0; place < places;)
      for (std::int64_t channel = 0; channel < of.channels; ++channel)
        for (std::int64_t i = 0; i < of.inner; ++i) body(place++, channel);
  }

  Parameters all() const { return {parameters->data(), places, step}; }
};

// Whether each row is treated alone.
bool are_long(const Channels& of) { return of.channels == 1 || of.inner >= kLongRow; }

bool is_empty(const Channels& of) { return of.outer * of.channels * of.inner == 0; }

}  // namespace

void per_channel(const Workers& by, const LearnedFunction& what, const ValuesOf& values,
                 const float* parameters, const Channels& shape) {
  const Channels of = merged(shape);
  if (is_empty(of)) return;
  if (are_long(of)) {
    const Rows rows(of);
    const Parameters all{parameters, of.channels, of.channels};
    spread_by(rows.together, rows.pieces, by.threads, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t number = first; number < last; ++number)
        rows.piece(of, number, [&](auto start, auto channel, auto count) {
          HINGE_AT(by.level,
                   along(what, moved(values, what.type, start), all, channel, count));
        });
    });
    return;
  }
  const Table table(parameters, parameters_of(what.function), of);
  const std::int64_t all = of.outer * of.channels * of.inner;
  spread_by(1, table.pieces, by.threads, [&](std::int64_t first, std::int64_t last) {
    const std::int64_t start = first * table.in_piece;
    const std::int64_t count = std::min(last * table.in_piece, all) - start;
    HINGE_AT(by.level, across(what, moved(values, what.type, start), table.all(), count));
  });
}

namespace {

void backward_in_rows(const Workers& by, const LearnedFunction& what, const GradientsOf& values,
                      const float* parameters, const Channels& of, double* sums) {
  const Rows rows(of);
  const Parameters all{parameters, of.channels, of.channels};
  const int count = parameters_of(what.function);
  std::vector<double> found(static_cast<std::size_t>(rows.pieces * count));
  spread_by(rows.together, rows.pieces, by.threads, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t number = first; number < last; ++number)
      rows.piece(of, number, [&](auto start, auto channel, auto length) {
        HINGE_AT(by.level, along_backward(what, moved(values, what.type, start), all, channel,
                                           length, found.data() + number * count));
      });
  });
  const double* next = found.data();
  for (std::int64_t row = 0; row < of.outer; ++row)
    for (std::int64_t channel = 0; channel < of.channels; ++channel)
      for (std::int64_t part = 0; part < rows.parts; ++part)
        for (int k = 0; k < count; ++k) sums[k * of.channels + channel] += *next++;
}

void backward_in_table(const Workers& by, const LearnedFunction& what, const GradientsOf& values,
                       const float* parameters, const Channels& of, double* sums) {
  const int count = parameters_of(what.function);
  const Table table(parameters, count, of);
  const std::int64_t all = of.outer * of.channels * of.inner, size = count * table.places;
  const std::int64_t room = count * table.step;
  const Lines scratch(table.pieces * room);
  std::vector<double> found(static_cast<std::size_t>(table.pieces * size));
  spread_by(1, table.pieces, by.threads, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t number = first; number < last; ++number) {
      const std::int64_t start = number * table.in_piece;
      const std::int64_t length = std::min(table.in_piece, all - start);
      HINGE_AT(by.level, across_backward(what, moved(values, what.type, start), table.all(),
                                          length, scratch.data() + number * room,
                                          found.data() + number * size));
    }
  });
  for (std::int64_t number = 1; number < table.pieces; ++number)
    for (std::int64_t i = 0; i < size; ++i) found[i] += found[number * size + i];
  for (int k = 0; k < count; ++k)
    table.each_place(of, [&](auto place, auto channel) {
      sums[k * of.channels + channel] += found[k * table.places + place];
    });
}

}  // namespace

void per_channel_backward(const Workers& by, const LearnedFunction& what, const GradientsOf& values,
                          const float* parameters, const Channels& shape, double* sums) {
  const Channels of = merged(shape);
  std::fill_n(sums, parameters_of(what.function) * of.channels, 0.0);
  if (is_empty(of)) return;
  (are_long(of) ? backward_in_rows : backward_in_table)(by, what, values, parameters, of, sums);
}

}  // namespace hinge
