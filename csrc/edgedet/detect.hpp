#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgedet/box.hpp"
#include "edgedet/decode.hpp"
#include "edgedet/nms.hpp"

namespace edgedet {

enum class Activation { sigmoid, softmax };

inline constexpr std::size_t kNoBackground = static_cast<std::size_t>(-1);

/// A table of a network's output where it lies: rows × columns numbers, row by row or column by column.
struct NetworkTable {
    const void* data = nullptr;
    std::size_t rows = 0;
    std::size_t columns = 0;
    bool is_half = false;           ///< float16, else float32
    bool column_by_column = false;  ///< entry (r, c) is number c · rows + r, else r · columns + c
};

/// One level of a network's raw output: deltas (rows, 4) ty tx th tw and logits (rows, columns).
struct RawLevel {
    NetworkTable deltas, logits;
};

/// All levels, with as many columns of logits each; anchors: (Σ rows, 4) float32 cy cx h w, normalised, C-contiguous.
struct RawOutput {
    std::vector<RawLevel> levels;
    const float* anchors;
    std::size_t columns;
};

/// What makes detections of it.
struct DetectRule {
    BoxCoding coding;
    float image_width = 1.0f;
    float image_height = 1.0f;
    Activation activation = Activation::sigmoid;
    std::size_t background = 0;  ///< the column that is no class, or kNoBackground
    double score_threshold = 0.0;
    NmsRule nms;
    // Before suppression, the best by logit (sigmoid) or score (softmax), ties by lower anchor. With either, memory is
    // bounded whatever the threshold.
    std::size_t max_candidates_per_class = kNoLimit;
    std::size_t max_candidates = kNoLimit;
};

/// Detections, best first; ties by class, then by anchor.
struct Found {
    std::vector<Box> boxes;               ///< image pixels
    std::vector<float> scores;            ///< activated
    std::vector<std::int32_t> class_ids;  ///< columns counted from 0 without the background
};

/// Raw output to detections in one pass over the logits.
///
/// sigmoid: an entry passes when logit > log(t / (1 - t)), which is score > t without an exponential for each entry;
/// with t <= 0 every finite logit passes, with t >= 1 none. softmax (over all columns): when score > t in float32; of
/// a row that holds NaN or +inf nothing passes, and with t <= 0 all else does. Infinite logits never pass.
/// Boxes are decoded, scaled to the image, dropped when not finite, and then suppressed per class (box.hpp).
/// Throws std::invalid_argument when 2^32 - 2 entries pass, or more.
Found detect(const RawOutput& raw, const DetectRule& rule);

}  // namespace edgedet
