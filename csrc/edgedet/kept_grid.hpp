#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "edgedet/box.hpp"

namespace edgedet {

/// KeptBoxes that stay fast when they are many: the same answers, from boxes nearby only.
///
/// A kept box is filed under each grid cell it touches (at most four), in the grid whose cells are 2 to 4 times its
/// longer side. For IoU > t the shared part is longer than t times either box's side, along both axes: it reaches the
/// middle of the asking box (its core: what is left when t of a side is cut off at both ends; a point for t >= 1/2),
/// and the longer sides differ by less than a factor t. So the cells that the core touches, in the grids of such sizes,
/// hold every box that can suppress it: about three look-ups however many are kept. Where boxes are piled up the plain
/// loop often finds one sooner. Both give the same answer, so the one is asked that cost less of late.
class KeptGrid {
  public:
    std::size_t size() const { return all_.size(); }
    void add(const Box& box, const OverlapRule& rule);
    bool suppress(const Box& box, const OverlapRule& rule);

  private:
    class Cells;
    struct Delete {
        void operator()(Cells* cells) const;
    };

    KeptBoxes all_;
    std::unique_ptr<Cells, Delete> cells_;  ///< from the size on at which it pays
    std::size_t asked_ = 0;
    float plain_cost_ = 0.0f, grid_cost_ = 0.0f;  ///< of late, in blocks
};

}  // namespace edgedet
