#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "edgedet/box.hpp"

namespace edgedet {

inline constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

/// What decides which boxes stay.
struct NmsRule {
    OverlapRule overlap;
    std::size_t max_per_class = kNoLimit;
    std::size_t max_total = kNoLimit;
};

/// One box that competes within one class.
struct Candidate {
    float score;             ///< finite
    std::uint32_t box;       ///< index into the boxes beside it
    std::uint32_t class_id;  ///< 0 .. classes - 1
};

/// Greedy non-maximum suppression, per class; the law is in box.hpp.
///
/// Candidates are taken by score descending, ties by position. One is dropped when a kept one of its class suppresses
/// it, or its class is full; all ends when max_total are kept. Returns positions in `candidates`, best first.
/// `boxes` must be finite, and no more than 2^32 - 1 candidates.
std::vector<std::uint32_t> select_candidates(const std::vector<Box>& boxes, const std::vector<Candidate>& candidates,
                                             std::size_t classes, const NmsRule& rule);

/// What of plain arrays may compete: everything finite.
struct Contest {
    std::vector<Box> boxes;
    std::vector<Candidate> candidates;  ///< one for each box, in order
    std::vector<std::int64_t> sources;  ///< the row each came from
    std::size_t classes;
};

/// Arrays as for nms(); class ids are renumbered from 0. Throws std::invalid_argument when count does not fit 32 bits.
Contest enter(const float* boxes, const float* scores, const std::int32_t* class_ids, std::size_t count);

/// select_candidates() for plain arrays, where NaN or infinite boxes or scores never survive.
///
/// boxes: (count, 4) float32 x1 y1 x2 y2; scores: (count,) float32; class_ids: (count,) int32, any values, or null for
/// one class. All C-contiguous. Returns kept indices, by score descending, ties by lower index.
/// Throws std::invalid_argument when count does not fit 32 bits.
std::vector<std::int64_t> nms(const float* boxes, const float* scores, const std::int32_t* class_ids, std::size_t count,
                              const NmsRule& rule);

}  // namespace edgedet
