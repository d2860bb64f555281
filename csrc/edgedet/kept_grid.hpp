#pragma once

#include <cstddef>
#include <memory>

#include "edgedet/box.hpp"
#include "edgedet/kept_cells.hpp"

namespace edgedet {

/// KeptBoxes that stay fast when they are many: the same answers, from boxes nearby only.
///
/// Where boxes are scattered, cells know the few that can suppress one; where they are piled up, the plain loop often
/// finds one sooner. Both give the same answer, so the one is asked that cost less of late; and cells are laid out only
/// when the questions that are still to come are worth it.
class KeptGrid {
  public:
    /// `questions`: how many boxes will be asked about, more or less.
    explicit KeptGrid(std::size_t questions) : questions_(questions) {}

    std::size_t size() const { return all_.size(); }
    void add(const Box& box, const OverlapRule& rule);

    bool suppress(const Box& box, const OverlapRule& rule) {
        const float area = rule.area(box);
        ++asked_;
        return cells_ ? ask_cheaper(box, area, rule) : ask_all(box, area, rule);
    }

  private:
    /// Of the best boxes so many blocks are always asked first: where boxes are piled up, they suppress nearly all.
    static constexpr std::size_t kFirstBlocks = 8;

    bool ask_all(const Box& box, float area, const OverlapRule& rule) {
        const std::size_t blocks = all_.blocks().size();
        const std::size_t found = all_.find(box, area, rule, 0, blocks);
        if (found > kFirstBlocks) {
            late_ += found - kFirstBlocks;
        }
        return found < blocks;
    }
    bool ask_cheaper(const Box& box, float area, const OverlapRule& rule);
    bool pays() const;
    void lay_out(const OverlapRule& rule);

    KeptBoxes all_;
    std::unique_ptr<KeptCells> cells_;  ///< once they pay
    std::size_t questions_, asked_ = 0;
    std::size_t asked_before_ = 0, late_ = 0;  ///< without cells: at the last full block, and later blocks asked since
    float plain_cost_ = 0.0f, grid_cost_ = 0.0f;  ///< with cells, of late, in blocks
};

}  // namespace edgedet
