#include "edgedet/nms.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "edgedet/kept_grid.hpp"
#include "edgedet/rank.hpp"

namespace edgedet {

namespace {

std::vector<std::uint64_t> ranked(const std::vector<Candidate>& candidates) {
    std::vector<std::uint64_t> ranks(candidates.size());
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        ranks[i] = rank_of(candidates[i].score, static_cast<std::uint32_t>(i));
    }
    sort_ranks(ranks);
    return ranks;
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
    std::vector<KeptGrid> kept(classes);
    std::size_t full = 0;  // classes that take no more
    for (const std::uint64_t rank : ranked(candidates)) {
        if (chosen.size() >= rule.max_total || full == classes) {
            break;
        }
        const std::uint32_t position = position_of(rank);
        const Candidate& candidate = candidates[position];
        const Box& box = boxes[candidate.box];
        KeptGrid& rivals = kept[candidate.class_id];
        if (rivals.size() < rule.max_per_class && !rivals.suppress(box, rule.overlap)) {
            rivals.add(box, rule.overlap);
            chosen.push_back(position);
            full += rivals.size() == rule.max_per_class;
        }
    }
    return chosen;
}

Contest enter(const float* boxes, const float* scores, const std::int32_t* class_ids, std::size_t count) {
    if (count > std::numeric_limits<std::uint32_t>::max()) {
        throw std::invalid_argument("boxes: expected at most 4294967295 rows, got more; do filter by score first");
    }
    const DenseClasses classes = renumber(class_ids, count);
    Contest contest;
    contest.classes = classes.count;
    contest.boxes.reserve(count);
    contest.candidates.reserve(count);
    contest.sources.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const Box box{boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]};
        const float score = scores[i];
        if (is_finite(box) && std::isfinite(score)) {
            contest.candidates.push_back({score, static_cast<std::uint32_t>(contest.boxes.size()), classes.ids[i]});
            contest.boxes.push_back(box);
            contest.sources.push_back(static_cast<std::int64_t>(i));
        }
    }
    return contest;
}

std::vector<std::int64_t> nms(const float* boxes, const float* scores, const std::int32_t* class_ids, std::size_t count,
                              const NmsRule& rule) {
    const Contest contest = enter(boxes, scores, class_ids, count);
    std::vector<std::int64_t> keep;
    for (const std::uint32_t i : select_candidates(contest.boxes, contest.candidates, contest.classes, rule)) {
        keep.push_back(contest.sources[i]);
    }
    return keep;
}

}  // namespace edgedet
