// What an edge or a point lies on: a set of marks. A label is the mark itself where there is one,
// as there nearly always is, and the number of a set that is kept once where there are more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

namespace hinge::regions {

using Marks = std::vector<std::int32_t>;  // ascending

class Labels {
 public:
  Marks marks(std::int32_t label) const {
    return label < kSets ? Marks{label} : sets_[label - kSets];
  }

  // The label of the same marks and one more.
  std::int32_t with(std::int32_t label, std::int32_t mark) {
    if (label == mark) return label;
    Marks all = marks(label);
    const auto place = std::lower_bound(all.begin(), all.end(), mark);
    if (place != all.end() && *place == mark) return label;
    all.insert(place, mark);
    return of(all);
  }

  // The label here of what has this one in another list.
  std::int32_t translated(const Labels& other, std::int32_t label) {
    return label < kSets ? label : of(other.sets_[label - kSets]);
  }

 private:
  static constexpr std::int32_t kSets = 1 << 30;

  std::int32_t of(const Marks& marks) {
    const auto [found, fresh] =
        numbers_.emplace(marks, kSets + static_cast<std::int32_t>(sets_.size()));
    if (fresh) sets_.push_back(marks);
    return found->second;
  }

  std::vector<Marks> sets_;
  std::map<Marks, std::int32_t> numbers_;
};

}  // namespace hinge::regions
