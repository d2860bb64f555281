#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace edgedet {

// The law of boxes, for the whole project.
//
// A box is float32 (x1, y1, x2, y2) in continuous pixels; its width is x2 - x1, and no less than 0, so that an empty or
// inverted box has area 0. Under the legacy rule `plus_one`, that of the published evaluations, corners are pixels that
// belong to the box: the width is x2 - x1 + 1, again no less than 0; likewise the intersection's.
//
//   IoU(a, b) = I / (area(a) + area(b) - I),   suppressed when IoU > threshold (strictly)
//
// all in float32 and in this order of operations, so that the published NumPy code gives the same bits. Where the union
// is 0, IoU is 0/0, which is not greater than anything: an empty box neither suppresses nor is suppressed.

/// Corners, x first.
struct Box {
    float x1, y1, x2, y2;
};

/// True when no corner is NaN or infinite.
inline bool is_finite(const Box& box) {
    return std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) && std::isfinite(box.y2);
}

/// The rule by which one box suppresses another.
struct OverlapRule {
    float threshold = 0.5f;  ///< 0 to 1
    float edge = 0.0f;       ///< added to every width and height: 1 under `plus_one`, else 0

    float area(const Box& box) const {
        const float width = box.x2 - box.x1 + edge, height = box.y2 - box.y1 + edge;
        return (width > 0.0f ? width : 0.0f) * (height > 0.0f ? height : 0.0f);
    }
};

/// Boxes as a struct of arrays, for the vector unit; places not yet taken hold a box that overlaps nothing.
template <std::size_t kSize>
struct BoxBlock {
    float x1[kSize], y1[kSize], x2[kSize], y2[kSize], area[kSize];

    BoxBlock();
    void set(std::size_t place, const Box& box, const OverlapRule& rule);
    Box at(std::size_t place) const { return {x1[place], y1[place], x2[place], y2[place]}; }

    /// IoU of `box` with every place: 0 or NaN where there is none.
    void overlap(const Box& box, float box_area, const OverlapRule& rule, float* iou) const;
    bool suppress(const Box& box, float box_area, const OverlapRule& rule) const;
};

extern template struct BoxBlock<8>;
extern template struct BoxBlock<16>;

/// The boxes of one class that were kept so far, and the question whether they suppress another: the plain loop.
///
/// Every box put in or asked about must be finite.
class KeptBoxes {
  public:
    static constexpr std::size_t kBlockSize = 16;
    using Block = BoxBlock<kBlockSize>;

    std::size_t size() const { return size_; }
    const std::vector<Block>& blocks() const { return blocks_; }
    Box at(std::size_t index) const { return blocks_[index / kBlockSize].at(index % kBlockSize); }
    void add(const Box& box, const OverlapRule& rule);
    bool suppress(const Box& box, const OverlapRule& rule) const {
        return find(box, rule.area(box), rule, 0, blocks_.size()) < blocks_.size();
    }

    /// The first block from `first` to before `last` that suppresses the box, or `last`.
    std::size_t find(const Box& box, float area, const OverlapRule& rule, std::size_t first, std::size_t last) const;

  private:
    std::vector<Block> blocks_;
    std::size_t size_ = 0;
};

}  // namespace edgedet
