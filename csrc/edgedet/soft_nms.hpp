#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgedet/box.hpp"
#include "edgedet/nms.hpp"

namespace edgedet {

enum class Decay {
    linear,   ///< by 1 - IoU, where IoU is greater than the threshold
    gaussian  ///< by exp(-IoU² / sigma)
};

/// How scores fade (Bodla et al. 2017).
struct SoftNmsRule {
    OverlapRule overlap;  ///< its threshold counts for linear decay only
    Decay decay = Decay::linear;
    float sigma = 0.5f;
    float score_threshold = 0.001f;  ///< 0 or more
    std::size_t max_total = kNoLimit;
};

/// Boxes in the order in which they were chosen, with the scores they then had.
struct Softened {
    std::vector<std::int64_t> indices;
    std::vector<float> scores;
};

/// Soft non-maximum suppression, per class: chooses the best box, fades all others by their IoU with it, and so on
/// until none is left whose score is greater than the threshold.
///
/// Arrays as for nms(); ties go to the lower index; NaN or infinite boxes or scores are never chosen; where IoU is 0/0
/// nothing fades. A score is multiplied by its factors in the order of choice, in float32.
/// Throws std::invalid_argument when count does not fit 32 bits.
Softened soft_nms(const float* boxes, const float* scores, const std::int32_t* class_ids, std::size_t count,
                  const SoftNmsRule& rule);

}  // namespace edgedet
