// Rows of bits, a row to a vertex; none at all where nothing is known.
#pragma once

#include <cstdint>
#include <vector>

namespace hinge::regions {

class BitRows {
 public:
  BitRows() = default;
  BitRows(std::int32_t rows, int width)
      : words_((width + 63) / 64), bits_(static_cast<std::size_t>(rows) * words_) {}

  bool known() const { return words_ != 0; }
  bool at(std::int32_t row, int column) const { return word(row, column / 64) >> column % 64 & 1; }
  std::uint64_t word(std::int32_t row, int word) const {
    return words_ ? bits_[static_cast<std::size_t>(row) * words_ + word] : 0;
  }
  void set(std::int32_t row, int column) {
    bits_[static_cast<std::size_t>(row) * words_ + column / 64] |= std::uint64_t{1} << column % 64;
  }
  void set_word(std::int32_t row, int word, std::uint64_t bits) {
    bits_[static_cast<std::size_t>(row) * words_ + word] = bits;
  }
  // One row more, with the bits that two rows share.
  void add_common(std::int32_t a, std::int32_t b) {
    for (int word = 0; word < words_; ++word)
      bits_.push_back(this->word(a, word) & this->word(b, word));
  }
  // Those rows alone, in this order.
  BitRows chosen(const std::vector<std::int32_t>& rows) const {
    BitRows some;
    some.words_ = words_;
    for (const std::int32_t row : rows)
      for (int word = 0; word < words_; ++word) some.bits_.push_back(this->word(row, word));
    return some;
  }

 private:
  int words_ = 0;
  std::vector<std::uint64_t> bits_;
};

}  // namespace hinge::regions
