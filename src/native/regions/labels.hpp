// What an edge or a point lies on: a set of marks, kept once and referred to by its number.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <vector>

namespace hinge::regions {

using Marks = std::vector<std::int32_t>;  // ascending

class Labels {
 public:
  std::int32_t of(const Marks& marks) {
    const auto [found, fresh] =
        numbers_.emplace(marks, static_cast<std::int32_t>(sets_.size()));
    if (fresh) sets_.push_back(marks);
    return found->second;
  }

  bool holds(std::int32_t label, std::int32_t mark) const {
    const Marks& marks = sets_[label];
    return std::find(marks.begin(), marks.end(), mark) != marks.end();
  }

  // The label of the same marks and one more. Asked for often with the same arguments.
  std::int32_t with(std::int32_t label, std::int32_t mark) {
    if (holds(label, mark)) return label;
    if (label == last_label_ && mark == last_mark_) return last_;
    Marks marks = sets_[label];
    const auto place = std::lower_bound(marks.begin(), marks.end(), mark);
    marks.insert(place, mark);
    last_label_ = label, last_mark_ = mark;
    return last_ = of(marks);
  }

  // Numbers here for all labels of another list, in its order.
  std::vector<std::int32_t> translated(const Labels& other) {
    std::vector<std::int32_t> numbers;
    for (const Marks& marks : other.sets_) numbers.push_back(of(marks));
    return numbers;
  }

  const std::vector<Marks>& sets() const { return sets_; }

 private:
  std::vector<Marks> sets_;
  std::map<Marks, std::int32_t> numbers_;
  std::int32_t last_label_ = -1, last_mark_ = 0, last_ = 0;
};

// The labels of single marks, of 64 forms that are at work.
class OwnLabels {
 public:
  void begin(std::int32_t first_mark) { first_mark_ = first_mark, labels_.fill(-1); }

  std::int32_t of(Labels& all, int bit) {
    if (labels_[bit] < 0) labels_[bit] = all.of({first_mark_ + bit});
    return labels_[bit];
  }

 private:
  std::int32_t first_mark_ = 0;
  std::array<std::int32_t, 64> labels_{};
};

}  // namespace hinge::regions
