#include "edgedet/survivors.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace edgedet {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Fewer are not worth cutting.
constexpr std::size_t kFew = 1 << 16;

bool by_row(const Survivor& a, const Survivor& b) { return a.row < b.row; }
bool by_class_and_row(const Survivor& a, const Survivor& b) {
    return a.class_id != b.class_id ? a.class_id < b.class_id : a.row < b.row;
}
bool by_value(const Survivor& a, const Survivor& b) {
    return a.value != b.value ? a.value > b.value : by_class_and_row(a, b);
}

bool less_value(const Survivor& a, const Survivor& b) { return a.value < b.value; }

std::size_t times(std::size_t a, std::size_t b) { return a != 0 && b > kNoLimit / a ? kNoLimit : a * b; }

}  // namespace

Survivors::Survivors(std::size_t classes, std::size_t most_per_class, std::size_t most)
    : classes_(classes), most_per_class_(most_per_class), most_(most), floors_(classes, -kInfinity) {
    full_ = std::max(kFew, times(2, std::min(most, times(classes, most_per_class))));
}

std::vector<Survivor> Survivors::take() {
    shrink();
    return std::move(all_);
}

void Survivors::shrink() {
    sort_by_class();
    cut_classes();
    cut_all();
}

void Survivors::sort_by_class() {
    std::vector<std::size_t> next(classes_ + 1, 0);
    for (const Survivor& one : all_) {
        ++next[one.class_id + 1];
    }
    for (std::size_t i = 1; i <= classes_; ++i) {
        next[i] += next[i - 1];
    }
    std::vector<Survivor> sorted(all_.size());
    for (const Survivor& one : all_) {
        sorted[next[one.class_id]++] = one;
    }
    all_.swap(sorted);
}

void Survivors::cut_classes() {
    auto kept = all_.begin();
    for (auto begin = all_.begin(); begin != all_.end();) {
        const auto differs = [id = begin->class_id](const Survivor& one) { return one.class_id != id; };
        const auto end = std::find_if(begin, all_.end(), differs);
        auto last = end;
        if (static_cast<std::size_t>(end - begin) > most_per_class_) {
            last = begin + static_cast<std::ptrdiff_t>(most_per_class_);
            std::nth_element(begin, last, end, by_value);
            // Later ones come from later rows, and lose a tie.
            if (last != begin) {
                floors_[begin->class_id] = std::min_element(begin, last, less_value)->value;
            }
            std::sort(begin, last, by_row);
        }
        kept = kept == begin ? last : std::copy(begin, last, kept);
        begin = end;
    }
    all_.erase(kept, all_.end());
}

void Survivors::cut_all() {
    if (all_.size() > most_) {
        std::nth_element(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(most_), all_.end(), by_value);
        all_.resize(most_);
        raise_floors();
        std::sort(all_.begin(), all_.end(), by_class_and_row);
    }
}

/// Later ones may be of a lower class than the worst, and win a tie.
void Survivors::raise_floors() {
    if (all_.empty()) {
        return;
    }
    const float least = std::min_element(all_.begin(), all_.end(), less_value)->value;
    for (float& floor : floors_) {
        floor = std::max(floor, std::nextafter(least, -kInfinity));
    }
}

}  // namespace edgedet
