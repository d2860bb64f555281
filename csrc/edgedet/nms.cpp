#include "edgedet/nms.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace edgedet {

namespace {

/// Smaller for a larger score: whole numbers that order as finite floats do, turned round.
std::uint32_t descending_key(float score) {
    score += 0.0f;  // -0 becomes +0: the two are a tie
    std::uint32_t bits;
    std::memcpy(&bits, &score, sizeof bits);
    const bool negative = (bits >> 31) != 0;
    return negative ? bits : ~(bits | 0x80000000u);
}

/// Positions in order of visit. Key and position share one number, so that sorting moves nothing else and is stable.
std::vector<std::uint64_t> ranked(const std::vector<Candidate>& candidates) {
    std::vector<std::uint64_t> order(candidates.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        order[i] = std::uint64_t{descending_key(candidates[i].score)} << 32 | i;
    }
    std::sort(order.begin(), order.end());
    return order;
}

/// Class ids renumbered from 0, so that classes can be looked up by position.
struct DenseClasses {
    std::vector<std::uint32_t> ids;
    std::size_t count;
};

DenseClasses renumber(const std::int32_t* class_ids, std::size_t count) {
    if (class_ids == nullptr) {
        return {std::vector<std::uint32_t>(count, 0), 1};
    }
    // Read once: the caller's array may be written to by another thread meanwhile, and these numbers become indices.
    const std::vector<std::int32_t> given(class_ids, class_ids + count);
    std::vector<std::int32_t> distinct = given;
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    DenseClasses classes{{}, distinct.size()};
    classes.ids.reserve(count);
    for (const std::int32_t id : given) {
        const auto place = std::lower_bound(distinct.begin(), distinct.end(), id) - distinct.begin();
        classes.ids.push_back(static_cast<std::uint32_t>(place));
    }
    return classes;
}

}  // namespace

std::vector<std::uint32_t> select_candidates(const std::vector<Box>& boxes, const std::vector<Candidate>& candidates,
                                             std::size_t classes, const NmsRule& rule) {
    std::vector<std::uint32_t> chosen;
    std::vector<KeptBoxes> kept(classes);
    for (const std::uint64_t entry : ranked(candidates)) {
        if (chosen.size() >= rule.max_total) {
            break;
        }
        const auto position = static_cast<std::uint32_t>(entry);
        const Candidate& candidate = candidates[position];
        const Box& box = boxes[candidate.box];
        KeptBoxes& rivals = kept[candidate.class_id];
        if (rivals.size() < rule.max_per_class && !rivals.suppress(box, rule.overlap)) {
            rivals.add(box, rule.overlap);
            chosen.push_back(position);
        }
    }
    return chosen;
}

std::vector<std::int64_t> nms(const float* boxes, const float* scores, const std::int32_t* class_ids, std::size_t count,
                              const NmsRule& rule) {
    if (count > std::numeric_limits<std::uint32_t>::max()) {
        throw std::invalid_argument("boxes: expected at most 4294967295 rows, got more; do filter by score first");
    }
    const DenseClasses classes = renumber(class_ids, count);
    std::vector<Box> finite_boxes;
    std::vector<Candidate> candidates;
    std::vector<std::int64_t> source;  // row of each candidate
    for (std::size_t i = 0; i < count; ++i) {
        const Box box{boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]};
        const float score = scores[i];
        if (is_finite(box) && std::isfinite(score)) {
            candidates.push_back({score, static_cast<std::uint32_t>(finite_boxes.size()), classes.ids[i]});
            finite_boxes.push_back(box);
            source.push_back(static_cast<std::int64_t>(i));
        }
    }
    std::vector<std::int64_t> keep;
    for (const std::uint32_t position : select_candidates(finite_boxes, candidates, classes.count, rule)) {
        keep.push_back(source[position]);
    }
    return keep;
}

}  // namespace edgedet
