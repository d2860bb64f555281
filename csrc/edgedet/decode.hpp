#pragma once

#include <cstddef>

#include "edgedet/box.hpp"

namespace edgedet {

/// How a network codes a box against its anchor.
struct BoxCoding {
    float centre_variance = 0.1f;
    float size_variance = 0.2f;
    bool clip = true;  ///< clip corners to [0, 1]
};

/// One box from one anchor, both normalised (SSD: Liu et al. 2016, equation 2, solved for the box):
///
///   cy = ty · v0 · ah + acy,   h = exp(th · v1) · ah,   corners = centre -+ size / 2,   likewise x
///
/// delta:  4 float32  ty tx th tw    (y first, as published networks speak)
/// anchor: 4 float32  acy acx ah aw  (y first)
/// The result is x first. A size that overflows clips to the border; NaN passes through the clip.
Box decode_box(const float* delta, const float* anchor, const BoxCoding& coding);

/// decode_box for `count` rows.
///
/// deltas, anchors: (count, 4) float32, y first; out: (count, 4) float32 x1 y1 x2 y2, normalised. All C-contiguous.
void decode_boxes(const float* deltas, const float* anchors, std::size_t count, const BoxCoding& coding, float* out);

}  // namespace edgedet
