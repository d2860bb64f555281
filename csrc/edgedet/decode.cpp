#include "edgedet/decode.hpp"

#include "edgedet/exp.hpp"

namespace edgedet {

namespace {

// Both comparisons are false for NaN, which so stays NaN.
inline float clip_to_unit(float v) {
    v = v < 0.0f ? 0.0f : v;
    return v > 1.0f ? 1.0f : v;
}

}  // namespace

Box decode_box(const float* delta, const float* anchor, const BoxCoding& coding) {
    const float cy = delta[0] * coding.centre_variance * anchor[2] + anchor[0];
    const float cx = delta[1] * coding.centre_variance * anchor[3] + anchor[1];
    const float half_h = portable_exp(delta[2] * coding.size_variance) * anchor[2] * 0.5f;
    const float half_w = portable_exp(delta[3] * coding.size_variance) * anchor[3] * 0.5f;
    const Box box{cx - half_w, cy - half_h, cx + half_w, cy + half_h};
    if (!coding.clip) {
        return box;
    }
    return {clip_to_unit(box.x1), clip_to_unit(box.y1), clip_to_unit(box.x2), clip_to_unit(box.y2)};
}

void decode_boxes(const float* deltas, const float* anchors, std::size_t count, const BoxCoding& coding, float* out) {
    for (std::size_t i = 0; i < count; ++i) {
        const Box box = decode_box(deltas + 4 * i, anchors + 4 * i, coding);
        out[4 * i + 0] = box.x1;
        out[4 * i + 1] = box.y1;
        out[4 * i + 2] = box.x2;
        out[4 * i + 3] = box.y2;
    }
}

}  // namespace edgedet
