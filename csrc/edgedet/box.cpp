#include "edgedet/box.hpp"

#include <cmath>
#include <limits>

namespace edgedet {

namespace {

// Spelled out rather than std::max: this form is one instruction on x86 and needs no promise about NaN to be
// vectorised.
inline float larger(float a, float b) { return a > b ? a : b; }
inline float smaller(float a, float b) { return a < b ? a : b; }

}  // namespace

bool is_finite(const Box& box) {
    return std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) && std::isfinite(box.y2);
}

float OverlapRule::area(const Box& box) const {
    return larger(box.x2 - box.x1 + edge, 0.0f) * larger(box.y2 - box.y1 + edge, 0.0f);
}

KeptBoxes::Block::Block() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (std::size_t i = 0; i < kSize; ++i) {
        x1[i] = y1[i] = kInfinity;
        x2[i] = y2[i] = -kInfinity;
        area[i] = 0.0f;
    }
}

bool KeptBoxes::Block::suppress(const Box& box, float box_area, const OverlapRule& rule) const {
    // No early way out: a loop of fixed length without branches is what the compiler turns into vectors.
    int over = 0;
    for (std::size_t i = 0; i < kSize; ++i) {
        const float width = larger(smaller(x2[i], box.x2) - larger(x1[i], box.x1) + rule.edge, 0.0f);
        const float height = larger(smaller(y2[i], box.y2) - larger(y1[i], box.y1) + rule.edge, 0.0f);
        const float intersection = width * height;
        over |= intersection / (area[i] + box_area - intersection) > rule.threshold;
    }
    return over != 0;
}

void KeptBoxes::add(const Box& box, const OverlapRule& rule) {
    const std::size_t place = size_ % Block::kSize;
    if (place == 0) {
        blocks_.emplace_back();
    }
    Block& block = blocks_.back();
    block.x1[place] = box.x1;
    block.y1[place] = box.y1;
    block.x2[place] = box.x2;
    block.y2[place] = box.y2;
    block.area[place] = rule.area(box);
    ++size_;
}

bool KeptBoxes::suppress(const Box& box, const OverlapRule& rule) const {
    const float area = rule.area(box);
    for (const Block& block : blocks_) {
        if (block.suppress(box, area, rule)) {
            return true;
        }
    }
    return false;
}

}  // namespace edgedet
