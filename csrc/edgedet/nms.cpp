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

/// One for each class, which knows how many candidates will come.
std::vector<KeptGrid> empty_grids(const std::vector<Candidate>& candidates, std::size_t classes) {
    std::vector<std::size_t> counts(classes, candidates.size());
    if (classes != 1) {
        std::fill(counts.begin(), counts.end(), 0);
        for (const Candidate& candidate : candidates) {
            ++counts[candidate.class_id];
        }
    }
    return {counts.begin(), counts.end()};
}

/// What comes so much later is on its way while others are asked about.
constexpr std::size_t kAhead = 8;

/// Renumbers class ids from 0, so that classes can be looked up by position; their number.
///
/// For ids that lie within a range not much longer than the list: a table instead of a search.
std::size_t renumber_close(const std::vector<std::int32_t>& given, std::int32_t least, std::size_t range,
                           std::vector<std::uint32_t>& ids) {
    std::vector<std::uint32_t> places(range, 0);
    const auto of = [least](std::int32_t id) { return static_cast<std::size_t>(std::int64_t{id} - least); };
    for (const std::int32_t id : given) {
        places[of(id)] = 1;
    }
    std::uint32_t count = 0;
    for (std::uint32_t& place : places) {
        count += place;
        place = count - place;
    }
    std::transform(given.begin(), given.end(), ids.begin(), [&](std::int32_t id) { return places[of(id)]; });
    return count;
}

std::size_t renumber_any(const std::vector<std::int32_t>& given, std::vector<std::uint32_t>& ids) {
    std::vector<std::int32_t> distinct = given;
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    std::transform(given.begin(), given.end(), ids.begin(), [&](std::int32_t id) {
        return static_cast<std::uint32_t>(std::lower_bound(distinct.begin(), distinct.end(), id) - distinct.begin());
    });
    return distinct.size();
}

std::size_t renumber(const std::int32_t* class_ids, std::size_t count, std::vector<std::uint32_t>& ids) {
    if (count == 0) {
        return 0;
    }
    ids.resize(count);
    // Read once: the caller's array may be written to by another thread meanwhile, and these numbers become indices.
    const std::vector<std::int32_t> given(class_ids, class_ids + count);
    const auto [least, most] = std::minmax_element(given.begin(), given.end());
    const auto range = static_cast<std::size_t>(std::int64_t{*most} - *least + 1);
    return range <= 2 * count + 1024 ? renumber_close(given, *least, range, ids) : renumber_any(given, ids);
}

}  // namespace

std::vector<std::uint32_t> select_candidates(const std::vector<Box>& boxes, const std::vector<Candidate>& candidates,
                                             std::size_t classes, const NmsRule& rule) {
    std::vector<std::uint32_t> chosen;
    std::vector<KeptGrid> kept = empty_grids(candidates, classes);
    std::size_t full = 0;  // classes that take no more
    const std::vector<std::uint64_t> ranks = ranked(candidates);
    const std::size_t far = ranks.size() > 2 * kAhead ? ranks.size() - 2 * kAhead : 0;
    for (std::size_t i = 0; i < ranks.size() && chosen.size() < rule.max_total && full < classes; ++i) {
        if (i < far) {
            __builtin_prefetch(&candidates[position_of(ranks[i + 2 * kAhead])]);
            __builtin_prefetch(&boxes[candidates[position_of(ranks[i + kAhead])].box]);
        }
        const std::uint32_t position = position_of(ranks[i]);
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
    Contest contest{std::vector<Box>(count), std::vector<Candidate>(count), std::vector<std::int64_t>(count), 1};
    std::vector<std::uint32_t> ids;
    if (class_ids != nullptr) {
        contest.classes = renumber(class_ids, count, ids);
    }
    std::size_t entered = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const Box box{boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]};
        const float score = scores[i];
        if (is_finite(box) && std::isfinite(score)) {
            contest.candidates[entered] = {score, static_cast<std::uint32_t>(entered), ids.empty() ? 0 : ids[i]};
            contest.boxes[entered] = box;
            contest.sources[entered] = static_cast<std::int64_t>(i);
            ++entered;
        }
    }
    contest.boxes.resize(entered);
    contest.candidates.resize(entered);
    contest.sources.resize(entered);
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
