#include "edgedet/kept_cells.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace edgedet {

namespace {

/// Along one axis, in double, where sums of float32 corners and fractions of sides are as good as exact.
struct Range {
    double begin, end;
};

struct Place {
    Range x, y;
    float longer;  ///< the longer side
};

Place place_of(const Box& box, const OverlapRule& rule) {
    const double edge = rule.edge;
    const float width = box.x2 - box.x1 + rule.edge;
    const float height = box.y2 - box.y1 + rule.edge;
    return {{box.x1, box.x2 + edge}, {box.y1, box.y2 + edge}, width > height ? width : height};
}

/// Cut off at both ends, at most to the middle.
Range core(Range range, double part) {
    const double cut = (range.end - range.begin) * std::min(part, 0.5);
    return {range.begin + cut, std::max(range.begin + cut, range.end - cut)};
}

/// What IoU > threshold says about real sides: a little less than it says about rounded ones.
double certain_part(float threshold) { return threshold < 1e-4f ? 0.0 : 0.999 * static_cast<double>(threshold) - 1e-6; }

/// Which grid: the side's binary exponent as float32 stores it.
int grid_of(float side) {
    std::uint32_t bits;
    std::memcpy(&bits, &side, sizeof bits);
    return static_cast<int>(bits >> 23 & 0xFF);
}

// Columns and rows in 28 bits. Cells further out share the last: float32 corners do not tell such apart anyway.
constexpr double kMost = (1 << 27) - 1;

std::int64_t cell(double at, double per_cell) {
    return static_cast<std::int64_t>(std::floor(std::clamp(at * per_cell, -kMost, kMost)));
}

struct Window {
    std::int64_t left, top, right, bottom;
};

Window window(int grid, Range x, Range y) {
    const double per_cell = std::ldexp(1.0, 127 - 2 - grid);  // sides are below 2^(grid - 126)
    return {cell(x.begin, per_cell), cell(y.begin, per_cell), cell(x.end, per_cell), cell(y.end, per_cell)};
}

std::uint64_t key(int grid, std::int64_t column, std::int64_t row) {
    const auto low28 = [](std::int64_t v) { return static_cast<std::uint64_t>(v) & 0xFFFFFFFu; };
    return static_cast<std::uint64_t>(grid) << 56 | low28(column) << 28 | low28(row);
}

}  // namespace

bool KeptCells::is_odd(const Box& box, const OverlapRule& rule) {
    const float area = rule.area(box);
    const float least = rule.edge * 0.5f;
    const bool cancels = box.x2 - box.x1 + rule.edge < least || box.y2 - box.y1 + rule.edge < least;
    return cancels || !(area >= 1e-30f && area <= 1e30f);
}

void KeptCells::add(const Box& box, const OverlapRule& rule) {
    if (rule.area(box) == 0.0f) {
        return;
    }
    if (is_odd(box, rule)) {
        odd_.add(box, rule);
        return;
    }
    const Place place = place_of(box, rule);
    const int grid = grid_of(place.longer);
    lowest_ = std::min(lowest_, grid);
    highest_ = std::max(highest_, grid);
    const Window cells = window(grid, place.x, place.y);
    for (std::int64_t row = cells.top; row <= cells.bottom; ++row) {
        for (std::int64_t column = cells.left; column <= cells.right; ++column) {
            put(key(grid, column, row), box, rule);
        }
    }
}

KeptCells::Answer KeptCells::ask(const Box& box, float area, const OverlapRule& rule, std::size_t& budget) const {
    const double part = certain_part(rule.threshold);
    const Place place = place_of(box, rule);
    const Range x = core(place.x, part), y = core(place.y, part);
    const int first = std::max(lowest_, grid_of(static_cast<float>(place.longer * part)));
    const int last = part > 0 ? std::min(highest_, grid_of(static_cast<float>(place.longer / part))) : highest_;
    // Wide cells first: there are few of them to ask, and large boxes are the likelier rivals.
    for (int grid = last; grid >= first; --grid) {
        const Window cells = window(grid, x, y);
        for (std::int64_t row = cells.top; row <= cells.bottom; ++row) {
            for (std::int64_t column = cells.left; column <= cells.right; ++column) {
                const Slot& home = slots_[slot(key(grid, column, row))];
                if (home.length >= budget) {
                    return Answer::too_many_to_ask;
                }
                budget -= home.length + 1;
                if (chain_suppresses(home.head, box, area, rule)) {
                    return Answer::yes;
                }
            }
        }
    }
    return odd_.suppress(box, rule) ? Answer::yes : Answer::no;
}

/// The slot that holds the key, or the free one where it belongs.
std::size_t KeptCells::slot(std::uint64_t wanted) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = static_cast<std::size_t>((wanted * 0x9E3779B97F4A7C15u) >> 32) & mask;
    while (slots_[at].key != wanted && slots_[at].key != kFree) {
        at = (at + 1) & mask;
    }
    return at;
}

bool KeptCells::chain_suppresses(std::uint32_t head, const Box& box, float area, const OverlapRule& rule) const {
    for (std::uint32_t i = head; i != kNone; i = links_[i].next) {
        if (blocks_[i].suppress(box, area, rule)) {
            return true;
        }
    }
    return false;
}

void KeptCells::put(std::uint64_t wanted, const Box& box, const OverlapRule& rule) {
    if (2 * (taken_ + 1) > slots_.size()) {
        grow();
    }
    Slot& home = slots_[slot(wanted)];
    taken_ += home.key == kFree;
    home.key = wanted;
    if (home.head == kNone || links_[home.head].used == kBlockSize) {
        links_.push_back({home.head, 0});
        blocks_.emplace_back();
        home.head = static_cast<std::uint32_t>(blocks_.size() - 1);
        ++home.length;
    }
    blocks_[home.head].set(links_[home.head].used++, box, rule);
}

void KeptCells::grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& one : old) {
        if (one.key != kFree) {
            slots_[slot(one.key)] = one;
        }
    }
}

}  // namespace edgedet
