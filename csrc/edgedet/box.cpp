#include "edgedet/box.hpp"

#include <limits>

namespace edgedet {

namespace {

// Spelled out rather than std::max: this form is one instruction on x86 and needs no promise about NaN to be
// vectorised.
inline float larger(float a, float b) { return a > b ? a : b; }
inline float smaller(float a, float b) { return a < b ? a : b; }

}  // namespace

template <std::size_t kSize>
BoxBlock<kSize>::BoxBlock() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < kSize; ++i) {
        x1[i] = y1[i] = kInfinity;
        x2[i] = y2[i] = -kInfinity;
        area[i] = 0.0f;
    }
}

template <std::size_t kSize>
void BoxBlock<kSize>::set(std::size_t place, const Box& box, const OverlapRule& rule) {
    x1[place] = box.x1;
    y1[place] = box.y1;
    x2[place] = box.x2;
    y2[place] = box.y2;
    area[place] = rule.area(box);
}

template <std::size_t kSize>
void BoxBlock<kSize>::overlap(const Box& box, float box_area, const OverlapRule& rule, float* iou) const {
    for (std::size_t i = 0; i < kSize; ++i) {
        const float width = larger(smaller(x2[i], box.x2) - larger(x1[i], box.x1) + rule.edge, 0.0f);
        const float height = larger(smaller(y2[i], box.y2) - larger(y1[i], box.y1) + rule.edge, 0.0f);
        const float intersection = width * height;
        iou[i] = intersection / (area[i] + box_area - intersection);
    }
}

template <std::size_t kSize>
bool BoxBlock<kSize>::suppress(const Box& box, float box_area, const OverlapRule& rule) const {
    // No early way out: loops of fixed length without branches are what the compiler turns into vectors.
    float iou[kSize];
    overlap(box, box_area, rule, iou);
    int over = 0;
    for (std::size_t i = 0; i < kSize; ++i) {
        over |= iou[i] > rule.threshold;
    }
    return over != 0;
}

template struct BoxBlock<8>;
template struct BoxBlock<16>;

void KeptBoxes::add(const Box& box, const OverlapRule& rule) {
    const std::size_t place = size_ % kBlockSize;
    if (place == 0) {
        blocks_.emplace_back();
    }
    blocks_.back().set(place, box, rule);
    ++size_;
}

std::size_t KeptBoxes::find(const Box& box, float area, const OverlapRule& rule, std::size_t first,
                            std::size_t last) const {
    for (; first < last; ++first) {
        if (blocks_[first].suppress(box, area, rule)) {
            break;
        }
    }
    return first;
}

}  // namespace edgedet
