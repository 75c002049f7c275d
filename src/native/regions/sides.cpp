// On which side of each form a vertex lies: by doubles where their errors leave no doubt, else by
// twice the precision, else by exact arithmetic.
#include <algorithm>
#include <bit>

#include "points.hpp"
#include "rounding.hpp"
#include "rows.hpp"

namespace hinge::regions {

void Points::take_sides(const Step& step) {
  const auto& fold = std::get<Fold>(program_.operations[step.operation]);
  const int word = step.word;
  operation_ = step.operation;
  if (word == 0) {
    off_ = BitRows(count(), program_.widths[fold.source]), off_source_ = fold.source;
    if (!fold.direct) gather(fold);
  }
  if (word == 0 || fold_ != &fold) exact_signs_.clear();
  fold_ = &fold, word_ = word;
  const int left = fold.forms() - 64 * word;
  valid_ = left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
  positive_.resize(count()), negative_.resize(count());
  std::vector<std::int32_t> open_questions;
  for (std::int32_t v = 0; v < count(); ++v)
    if (look(v) != 0) open_questions.push_back(v);
  settle(open_questions, valid_);
}

void Points::note_off() {
  for (std::int32_t v = 0; v < count(); ++v) {
    const std::uint64_t off = ~positive_[v] & valid_;
    if (fold_->direct) {
      off_.set_word(v, word_, off);
      continue;
    }
    for (std::uint64_t left = off; left != 0; left &= left - 1) {
      const int form = 64 * word_ + std::countr_zero(left);
      if (fold_->breaks[form] == 0) off_.set(v, fold_->columns[form]);
    }
  }
}

// Takes the signs that the filter decides; the others come back.
std::uint64_t Points::look(std::int32_t vertex) {
  if (!program_.measured) {
    positive_[vertex] = negative_[vertex] = 0;
    return valid_;
  }
  const Rows& rows = forms();
  const int first = 64 * word_, count = std::min(64, rows.step - first);
  const double reach = rows.errors[vertex];
  const Signs found = HINGE_AT(
      run_.level, signs(rows.row(vertex) + first, rows.measure->scale.data() + first, reach, count));
  positive_[vertex] = found.positive, negative_[vertex] = found.negative;
  if (reach == 0) return 0;
  return valid_ & ~(found.positive | found.negative | rows.zeros.word(vertex, word_));
}

void Points::decide_between(std::int32_t vertex, std::uint64_t open) {
  const std::uint64_t positive = positive_[vertex], negative = negative_[vertex];
  if ((look(vertex) & open) != 0) settle({vertex}, open);
  positive_[vertex] = positive | (positive_[vertex] & open);
  negative_[vertex] = negative | (negative_[vertex] & open);
}

// Takes a vertex's place and values from twice the precision: their errors are a rounding's.
void Points::sharpen(std::int32_t vertex) {
  if (!precise_)
    precise_ = std::make_unique<Precise>(
        run_, [this](std::int64_t id) -> const Birth& { return birth(id); });
  const PreciseRows& precise = precise_->rows(ids_[vertex], operation_);
  for (int i = 0; i < run_.dimension; ++i)
    coordinates_[static_cast<std::size_t>(vertex) * run_.dimension + i] =
        precise_->place(ids_[vertex])[i].high;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    Rows& rows = rows_[i];
    if (!rows.measure) continue;
    double* row = rows.row(vertex);
    double error = 0;
    if (static_cast<int>(i) == program_.forms_buffer()) {
      for (int form = 0; form < fold_->forms(); ++form) {
        const Deciding found = deciding(program_, precise, *fold_, form);
        row[form] = found.value.high;
        error = std::max(error, found.error * rows.measure->per_scale[form]);
      }
    } else {
      std::copy_n(precise[i].high.begin(), rows.step, row);
      error = precise[i].error;
    }
    rows.errors[vertex] = kMargin * (error + kUnit * size_of(rows, vertex));
  }
  run_.sharpened += 1;
}

// Takes the signs that twice the precision decides; the others come back.
std::uint64_t Points::look_precisely(std::int32_t vertex) {
  if (!program_.measured) return valid_;
  sharpen(vertex);
  const PreciseRows& precise = precise_->rows(ids_[vertex], operation_);
  std::uint64_t& positive = positive_[vertex] = 0;
  std::uint64_t& negative = negative_[vertex] = 0;
  std::uint64_t open = 0;
  const int first = 64 * word_, last = std::min(first + 64, fold_->forms());
  for (int form = first; form < last; ++form) {
    const Deciding found = deciding(program_, precise, *fold_, form);
    const std::uint64_t bit = std::uint64_t{1} << (form - first);
    if (found.value.high > found.error)
      positive |= bit;
    else if (found.value.high < -found.error)
      negative |= bit;
    else
      open |= bit;
  }
  return open;
}

// Finds the signs that doubles leave open, of those forms that are asked for.
void Points::settle(const std::vector<std::int32_t>& vertices, std::uint64_t asked) {
  std::vector<std::int32_t> unknown;
  for (const std::int32_t vertex : vertices) {
    const auto known = exact_signs_.find(vertex);
    if (known != exact_signs_.end())
      settle_from(vertex, known->second.data());
    else if ((look_precisely(vertex) & asked) != 0)
      unknown.push_back(vertex);
  }
  if (unknown.empty()) return;
  std::vector<Birth> births;
  std::vector<Wanted> wanted;
  std::unordered_map<std::int64_t, bool> seen;
  for (const std::int32_t vertex : unknown) {
    ancestors(ids_[vertex], births, seen);
    wanted.push_back({ids_[vertex], fold_->number});
  }
  const std::vector<std::int8_t> signs = run_.decide(births, wanted);
  run_.decided += static_cast<std::int64_t>(unknown.size());
  const int forms = fold_->forms();
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    const std::int8_t* own = signs.data() + i * forms;
    exact_signs_[unknown[i]].assign(own, own + forms);
    settle_from(unknown[i], own);
  }
}

void Points::settle_from(std::int32_t vertex, const std::int8_t* signs) {
  positive_[vertex] = negative_[vertex] = 0;
  const int first = 64 * word_, last = std::min(first + 64, fold_->forms());
  for (int i = first; i < last; ++i) {
    positive_[vertex] |= static_cast<std::uint64_t>(signs[i] > 0) << (i - first);
    negative_[vertex] |= static_cast<std::uint64_t>(signs[i] < 0) << (i - first);
  }
}

const Birth& Points::birth(std::int64_t id) const {
  const Points* piece = this;
  while (piece->serial_ != id >> 32) piece = piece->parent_;
  return piece->births_[id & 0xffffffff];
}

// Those from which a vertex was made, and itself, parents first.
void Points::ancestors(std::int64_t id, std::vector<Birth>& found,
                       std::unordered_map<std::int64_t, bool>& seen) const {
  if (!seen.emplace(id, true).second) return;
  const Birth& born = birth(id);
  if (born.fold >= 0) {
    ancestors(born.a, found, seen);
    ancestors(born.b, found, seen);
  }
  found.push_back(born);
}

}  // namespace hinge::regions
