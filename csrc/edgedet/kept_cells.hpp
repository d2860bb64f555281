#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgedet/box.hpp"

namespace edgedet {

/// Kept boxes filed by where they are: a hash table from (grid, column, row) to a chain of blocks.
///
/// A box is filed under each cell it touches (at most four), in the grid whose cells are 2 to 4 times its longer side.
/// For IoU > t the shared part is longer than t times either box's side, along both axes: it reaches the middle of the
/// asking box (its core: what is left when t of a side is cut off at both ends; a point for t >= 1/2), and the longer
/// sides differ by less than a factor t. So the cells that the core touches, in the grids of such sizes, hold every box
/// that can suppress it: about three look-ups however many are kept.
class KeptCells {
  public:
    void add(const Box& box, const OverlapRule& rule);

    /// Sides or areas so small or large that rounding is no longer relative, so that nothing can be said about cells.
    static bool is_odd(const Box& box, const OverlapRule& rule);

    enum class Answer { no, yes, too_many_to_ask };

    /// Asks at most about `budget` blocks and cells, and takes them off it. The box must not be odd.
    Answer ask(const Box& box, float area, const OverlapRule& rule, std::size_t& budget) const;

  private:
    /// Blocks in a cell are short: most cells hold one or two boxes.
    static constexpr std::size_t kBlockSize = 8;
    using Block = BoxBlock<kBlockSize>;

    static constexpr std::uint32_t kNone = static_cast<std::uint32_t>(-1);
    static constexpr std::uint64_t kFree = static_cast<std::uint64_t>(-1);

    struct Slot {
        std::uint64_t key = kFree;
        std::uint32_t head = kNone;
        std::uint32_t length = 0;  ///< blocks in the chain
    };
    struct Link {
        std::uint32_t next;
        std::uint32_t used;
    };

    std::size_t slot(std::uint64_t wanted) const;
    bool chain_suppresses(std::uint32_t head, const Box& box, float area, const OverlapRule& rule) const;
    void put(std::uint64_t wanted, const Box& box, const OverlapRule& rule);
    void grow();

    KeptBoxes odd_;
    std::vector<Slot> slots_ = std::vector<Slot>(1024);
    std::size_t taken_ = 0;
    std::vector<Block> blocks_;
    std::vector<Link> links_;
    int lowest_ = 255, highest_ = 0;  ///< grids that hold something
};

}  // namespace edgedet
