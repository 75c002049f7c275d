// The sides on which cells lie, in words of 64 forms: one row of words to a cell.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace hinge::regions {

class Patterns {
 public:
  explicit Patterns(int words) : words_(words) {}

  // One cell, of which nothing is known.
  void add_cell() { positive_.resize(positive_.size() + words_); }

  // One more cell, that has been the same as this one.
  void add_like(const Patterns& other, std::int32_t cell) {
    const std::size_t from = static_cast<std::size_t>(cell) * words_;
    positive_.resize(positive_.size() + words_);
    std::copy_n(other.positive_.data() + from, words_, positive_.data() + positive_.size() - words_);
    if (!other.flat_.empty()) begin_flat();
    if (flat_.empty()) return;
    flat_.resize(positive_.size());
    if (!other.flat_.empty())
      std::copy_n(other.flat_.data() + from, words_, flat_.data() + flat_.size() - words_);
  }

  // Where a cell lies to 64 forms: those that are positive there, and those zero all over it.
  void note(std::int32_t cell, int word, std::uint64_t positive, std::uint64_t flat) {
    const std::size_t at = static_cast<std::size_t>(cell) * words_ + word;
    positive_[at] = positive;
    if (flat != 0) begin_flat();
    if (!flat_.empty()) flat_[at] = flat;
  }

  bool some_flat() const { return !flat_.empty(); }
  std::uint64_t flat(std::int32_t cell, int word) const {
    return flat_.empty() ? 0 : flat_[static_cast<std::size_t>(cell) * words_ + word];
  }
  const std::uint64_t* row(std::int32_t cell) const {
    return positive_.data() + static_cast<std::size_t>(cell) * words_;
  }
  const std::vector<std::uint64_t>& rows() const { return positive_; }

  // Adds the pair (number, mark) for each form that is zero all over a cell.
  void list_flat(std::int32_t cell, std::int32_t number, std::vector<std::int32_t>& pairs) const {
    for (int word = 0; word < words_ && some_flat(); ++word)
      for (std::uint64_t left = flat(cell, word); left != 0; left &= left - 1)
        pairs.insert(pairs.end(), {number, 64 * word + std::countr_zero(left)});
  }

 private:
  // Few networks have such forms; the others need no room for them.
  void begin_flat() {
    if (flat_.empty()) flat_.resize(positive_.size());
  }

  int words_;
  std::vector<std::uint64_t> positive_, flat_;
};

}  // namespace hinge::regions
