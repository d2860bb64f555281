#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "edgedet/region.hpp"
#include "edgedet/vector_loops.hpp"

namespace edgedet {

/// What the pooling of many regions has to do, the same for every chunk of channels.
///
/// A maximum over n cells is that of two windows of 2^k of them, 2^k <= n <= 2^(k + 1), which overlap; over a
/// rectangle, of four. The maxima of all windows of one size are one table, made from that of half the size in one
/// pass. A bin then takes four cells of a table, however large it is, and jobs are ordered by the table they need, so
/// that there is only one at a time.
class SppPlan {
  public:
    /// A level that is no union of another's bins, and those that are unions of its bins. (i·k·n / b = i·n / (b / k):
    /// where b divides the finer level's number of bins, its bins are unions of that level's.)
    using Family = std::vector<PoolLevel>;

    /// One family of levels for one region.
    struct Job {
        unsigned row_doublings, column_doublings;  ///< the window's height and width: 2^these cells
        std::size_t corner;                        ///< the region's first cell
        const Windows *rows, *columns;
        std::size_t region, family;
    };

    /// Plans the regions that are `wanted`, by index; bins: of each level, at least 1.
    SppPlan(std::size_t channels, std::size_t width, const std::vector<std::size_t>& bins,
            const std::vector<Region>& regions, const std::vector<std::size_t>& wanted);
    SppPlan(const SppPlan&) = delete;  // jobs point into it
    SppPlan& operator=(const SppPlan&) = delete;

    const std::vector<Job>& jobs() const { return jobs_; }
    const Family& family(const Job& job) const { return families_[job.family]; }
    std::size_t most_bins_of_family() const;
    std::size_t most_bins_of_level() const;

  private:
    /// Along one axis: where the bins of a region of so many cells lie.
    struct Layout {
        std::vector<Windows> windows;
        unsigned doublings;
    };

    const Layout& layout(std::size_t bins, std::size_t cells);

    std::vector<Family> families_;
    std::map<std::pair<std::size_t, std::size_t>, Layout> layouts_;  ///< by bins and cells
    std::vector<Job> jobs_;
};

}  // namespace edgedet
