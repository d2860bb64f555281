#include "edgedet/spp_plan.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace edgedet {

namespace {

using Family = SppPlan::Family;

std::size_t size_of(const Family& family) { return family.back().grid + family.back().bins * family.back().bins; }

/// Makes the level a member of a family whose bins it unites; of several such levels, from the coarsest.
bool joined(std::vector<Family>& families, std::size_t bins, std::size_t offset) {
    for (auto family = families.rbegin(); family != families.rend(); ++family) {
        for (std::size_t i = family->size(); i-- > 0;) {
            if ((*family)[i].bins % bins == 0) {
                family->push_back({bins, i, size_of(*family), offset});
                return true;
            }
        }
    }
    return false;
}

std::vector<Family> families_of(std::size_t channels, const std::vector<std::size_t>& bins) {
    std::vector<std::pair<std::size_t, std::size_t>> levels;  // bins and offset
    std::size_t offset = 0;
    for (const std::size_t b : bins) {
        levels.emplace_back(b, offset);
        offset += channels * b * b;
    }
    std::stable_sort(levels.begin(), levels.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<Family> families;
    for (const auto& [b, at] : levels) {
        if (!joined(families, b, at)) {
            families.push_back({{b, 0, 0, at}});
        }
    }
    return families;
}

/// Bin i of b over n cells covers [floor(i·n / b), ceil((i + 1)·n / b)), without a division for each.
std::vector<std::pair<std::size_t, std::size_t>> bin_ranges(std::size_t bins, std::size_t cells) {
    std::vector<std::pair<std::size_t, std::size_t>> ranges(bins);
    const std::size_t step = cells / bins, step_rest = cells % bins;
    std::size_t at = 0, rest = 0;
    for (auto& [begin, end] : ranges) {
        begin = at;
        at += step;
        rest += step_rest;
        if (rest >= bins) {
            rest -= bins;
            ++at;
        }
        end = at + (rest > 0 ? 1 : 0);
    }
    return ranges;
}

}  // namespace

SppPlan::SppPlan(std::size_t channels, std::size_t width, const std::vector<std::size_t>& bins,
                 const std::vector<Region>& regions, const std::vector<std::size_t>& wanted)
    : families_(families_of(channels, bins)) {
    for (const std::size_t i : wanted) {
        const Region& region = regions[i];
        for (std::size_t f = 0; f < families_.size(); ++f) {
            const Layout& rows = layout(families_[f][0].bins, region.y1 - region.y0);
            const Layout& columns = layout(families_[f][0].bins, region.x1 - region.x0);
            jobs_.push_back({rows.doublings, columns.doublings, region.y0 * width + region.x0, rows.windows.data(),
                             columns.windows.data(), i, f});
        }
    }
    std::stable_sort(jobs_.begin(), jobs_.end(), [](const Job& a, const Job& b) {
        return std::tie(a.row_doublings, a.column_doublings) < std::tie(b.row_doublings, b.column_doublings);
    });
}

/// The sizes of a layout's bins differ by at most one cell, so that windows of one size do for all.
const SppPlan::Layout& SppPlan::layout(std::size_t bins, std::size_t cells) {
    const auto [place, is_new] = layouts_.try_emplace({bins, cells});
    Layout& layout = place->second;
    if (is_new) {
        const auto ranges = bin_ranges(bins, cells);
        std::size_t smallest = cells;
        for (const auto& [begin, end] : ranges) {
            smallest = std::min(smallest, end - begin);
        }
        layout.doublings = 0;
        while (smallest >> (layout.doublings + 1) != 0) {
            ++layout.doublings;
        }
        for (const auto& [begin, end] : ranges) {
            layout.windows.push_back({begin, end - (std::size_t{1} << layout.doublings)});
        }
    }
    return layout;
}

std::size_t SppPlan::most_bins_of_family() const {
    std::size_t most = 0;
    for (const Family& family : families_) {
        most = std::max(most, size_of(family));
    }
    return most;
}

std::size_t SppPlan::most_bins_of_level() const {
    std::size_t most = 0;
    for (const Family& family : families_) {
        most = std::max(most, family[0].bins * family[0].bins);
    }
    return most;
}

}  // namespace edgedet
