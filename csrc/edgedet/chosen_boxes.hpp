#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgedet/box.hpp"

namespace edgedet {

/// What a box shares with one that was chosen.
struct Overlap {
    std::uint32_t chosen;  ///< its place in the order of choice
    float iou;             ///< more than 0
};

/// The boxes of one class that were chosen so far, in order, and the question which of them overlap another.
///
/// When they are many they lie in buckets of neighbours as well, each within bounds of its own; a bucket that is full
/// becomes two, cut at the median. Only those buckets are asked whose bounds the box touches, as long as
/// those are few. Every box must be finite.
class ChosenBoxes {
  public:
    std::size_t size() const { return all_.size(); }
    void add(const Box& box, const OverlapRule& rule);

    /// In order, and the plain way to ask.
    const KeptBoxes& all() const { return all_; }

    /// Whether overlaps() is thought to cost less than asking all from the `next`-th on.
    bool buckets_pay(std::size_t next);

    /// Those with boxes from the `next`-th on, in order of choice; valid until the next call.
    const std::vector<Overlap>& overlaps(const Box& box, const OverlapRule& rule, std::size_t next);

  private:
    struct Bucket {
        Box bounds;
        KeptBoxes boxes;
        std::vector<std::uint32_t> places;  ///< in the order of choice, ascending
    };
    /// A cut, or the bucket at the end of cuts.
    struct Node {
        bool is_cut = false;
        bool by_y = false;
        float at = 0.0f;         ///< centres below it are on the near side
        std::uint32_t near = 0;  ///< node, or bucket
        std::uint32_t far = 0;   ///< node
    };

    void file(std::uint32_t place, const OverlapRule& rule);
    void put(Bucket& bucket, std::uint32_t place, const OverlapRule& rule) const;
    void split(std::uint32_t node, const OverlapRule& rule);
    float centre(std::uint32_t place, bool by_y) const;
    std::size_t ask(const Bucket& bucket, const Box& box, float area, const OverlapRule& rule, std::size_t next);

    KeptBoxes all_;
    std::vector<Bucket> buckets_;
    std::vector<Node> nodes_;
    std::vector<Overlap> found_;
    float share_ = 0.0f;  ///< blocks touched and overlaps found, of all blocks to ask, of late
};

}  // namespace edgedet
