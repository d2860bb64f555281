#include "edgedet/soft_nms.hpp"

#include <algorithm>
#include <functional>

#include "edgedet/chosen_boxes.hpp"
#include "edgedet/exp.hpp"
#include "edgedet/rank.hpp"

namespace edgedet {

namespace {

/// A box that waits, with the score it has after the first `faded_by` boxes chosen of its class.
struct Waiting {
    float score;
    std::uint32_t faded_by = 0;
};

float factor(float iou, const SoftNmsRule& rule) {
    if (rule.decay == Decay::gaussian) {
        return portable_exp(-(iou * iou) / rule.sigma);
    }
    return iou > rule.overlap.threshold ? 1.0f - iou : 1.0f;
}

/// Fades by the rest of one block of chosen boxes, the one that holds the `next`-th; where it ends.
std::size_t fade_by_block(Waiting& waiting, const Box& box, float area, const KeptBoxes& chosen, std::size_t next,
                          const SoftNmsRule& rule) {
    float iou[KeptBoxes::kBlockSize];
    const std::size_t block = next / KeptBoxes::kBlockSize;
    chosen.blocks()[block].overlap(box, area, rule.overlap, iou);
    const std::size_t end = std::min(chosen.size(), (block + 1) * KeptBoxes::kBlockSize);
    for (; next < end; ++next) {
        const float one = iou[next % KeptBoxes::kBlockSize];
        if (one > 0.0f) {  // most are 0, and by 0 nothing fades; neither by 0/0
            waiting.score *= factor(one, rule);
        }
    }
    return end;
}

/// Fades by the boxes chosen since the last time.
void fade(Waiting& waiting, const Box& box, ChosenBoxes& chosen, const SoftNmsRule& rule) {
    const float area = rule.overlap.area(box);
    std::size_t next = waiting.faded_by;
    if (chosen.buckets_pay(next)) {
        for (const Overlap& one : chosen.overlaps(box, rule.overlap, next)) {
            waiting.score *= factor(one.iou, rule);
        }
        next = chosen.size();
    }
    while (next < chosen.size() && waiting.score > rule.score_threshold) {
        next = fade_by_block(waiting, box, area, chosen.all(), next, rule);
    }
    waiting.faded_by = static_cast<std::uint32_t>(next);
}

/// The best first: a heap of ranks.
class Queue {
  public:
    explicit Queue(std::vector<std::uint64_t> ranks) : ranks_(std::move(ranks)) {
        std::make_heap(ranks_.begin(), ranks_.end(), std::greater<>());
    }

    bool empty() const { return ranks_.empty(); }

    std::uint64_t pop() {
        std::pop_heap(ranks_.begin(), ranks_.end(), std::greater<>());
        const std::uint64_t rank = ranks_.back();
        ranks_.pop_back();
        return rank;
    }

    void push(std::uint64_t rank) {
        ranks_.push_back(rank);
        std::push_heap(ranks_.begin(), ranks_.end(), std::greater<>());
    }

  private:
    std::vector<std::uint64_t> ranks_;
};

}  // namespace

Softened soft_nms(const float* boxes, const float* scores, const std::int32_t* class_ids, std::size_t count,
                  const SoftNmsRule& rule) {
    const Contest contest = enter(boxes, scores, class_ids, count);
    std::vector<Waiting> waiting;
    std::vector<std::uint64_t> ranks;
    for (const Candidate& candidate : contest.candidates) {
        ranks.push_back(rank_of(candidate.score, static_cast<std::uint32_t>(waiting.size())));
        waiting.push_back({candidate.score});
    }
    Softened softened;
    std::vector<ChosenBoxes> chosen(contest.classes);
    // Scores only ever sink. So what comes first in the queue need not be compared with all others: when it still
    // comes first after fading, it is the best.
    for (Queue queue(std::move(ranks)); !queue.empty() && softened.indices.size() < rule.max_total;) {
        const std::uint64_t rank = queue.pop();
        const std::uint32_t position = position_of(rank);
        const Box& box = contest.boxes[position];
        ChosenBoxes& rivals = chosen[contest.candidates[position].class_id];
        fade(waiting[position], box, rivals, rule);
        const float score = waiting[position].score;
        if (!(score > rule.score_threshold)) {
            continue;
        }
        if (rank_of(score, position) != rank) {
            queue.push(rank_of(score, position));
            continue;
        }
        rivals.add(box, rule.overlap);
        softened.indices.push_back(contest.sources[position]);
        softened.scores.push_back(score);
    }
    return softened;
}

}  // namespace edgedet
