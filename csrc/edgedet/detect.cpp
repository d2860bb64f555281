#include "edgedet/detect.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "edgedet/exp.hpp"
#include "edgedet/vector_level.hpp"

namespace edgedet {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

double logit_of(double score) {
    if (score <= 0.0) {
        return -std::numeric_limits<double>::infinity();
    }
    return std::log(score / (1.0 - score));
}

/// The largest float that is no greater: a float exceeds it exactly when it exceeds `value`.
float rounded_down(double value) {
    const auto nearest = static_cast<float>(value);
    return static_cast<double>(nearest) > value ? std::nextafter(nearest, -kInfinity) : nearest;
}

/// Entries that passed the threshold, row by row, with their boxes.
class Survivors {
  public:
    Survivors(const RawOutput& raw, const DetectRule& rule) : raw_(raw), rule_(rule) {}

    void add(std::size_t row, std::size_t column, float score) {
        if (row != row_) {
            decode(row);
        }
        if (usable_) {
            const std::size_t class_id = column > rule_.background ? column - 1 : column;
            entries_.push_back(
                {score, static_cast<std::uint32_t>(boxes_.size() - 1), static_cast<std::uint32_t>(class_id)});
        }
    }

    const std::vector<Box>& boxes() const { return boxes_; }

    /// Ordered by class, then by anchor: the order in which ties are settled.
    std::vector<Candidate> by_class(std::size_t classes) const {
        std::vector<std::size_t> next(classes + 1, 0);
        for (const Candidate& entry : entries_) {
            ++next[entry.class_id + 1];
        }
        for (std::size_t i = 1; i <= classes; ++i) {
            next[i] += next[i - 1];
        }
        std::vector<Candidate> sorted(entries_.size());
        for (const Candidate& entry : entries_) {
            sorted[next[entry.class_id]++] = entry;
        }
        return sorted;
    }

  private:
    void decode(std::size_t row) {
        row_ = row;
        Box box = decode_box(raw_.deltas + 4 * row, raw_.anchors + 4 * row, rule_.coding);
        box.x1 *= rule_.image_width;
        box.y1 *= rule_.image_height;
        box.x2 *= rule_.image_width;
        box.y2 *= rule_.image_height;
        usable_ = is_finite(box);
        if (usable_) {
            boxes_.push_back(box);
        }
    }

    const RawOutput& raw_;
    const DetectRule& rule_;
    std::vector<Box> boxes_;
    std::vector<Candidate> entries_;
    std::size_t row_ = static_cast<std::size_t>(-1);
    bool usable_ = false;
};

/// Calls use(column) for every column that is a class.
template <class Use>
void for_each_class(std::size_t columns, std::size_t background, Use use) {
    for (std::size_t c = 0; c < columns; ++c) {
        if (c != background) {
            use(c);
        }
    }
}

/// So many rows are asked at once, whatever their number of columns: together they are whole vectors.
constexpr std::size_t kRowsAtOnce = 16;

void scan_sigmoid(const RawOutput& raw, const DetectRule& rule, Survivors& survivors) {
    const float cutoff = rounded_down(logit_of(rule.score_threshold));
    const std::size_t columns = raw.columns;
    std::vector<float> cutoffs(kRowsAtOnce * columns, cutoff);
    for (std::size_t i = rule.background; i < cutoffs.size(); i += columns) {
        cutoffs[i] = kInfinity;  // nothing passes
    }
    const VectorLoops& vectors = loops();
    std::vector<std::uint32_t> passed(columns);
    for (std::size_t first = 0; first < raw.anchor_count; first += kRowsAtOnce) {
        const std::size_t end = std::min(first + kRowsAtOnce, raw.anchor_count);
        const bool whole = end - first == kRowsAtOnce;
        if (whole && !vectors.any_above(raw.logits + first * columns, cutoffs.data(), kRowsAtOnce * columns)) {
            continue;
        }
        for (std::size_t row = first; row < end; ++row) {
            const float* logits = raw.logits + row * columns;
            if (!vectors.any_above(logits, cutoffs.data(), columns)) {
                continue;
            }
            const std::size_t count = vectors.above(logits, cutoffs.data(), columns, passed.data());
            for (std::size_t i = 0; i < count; ++i) {
                survivors.add(row, passed[i], sigmoid(logits[passed[i]]));
            }
        }
    }
}

void scan_softmax(const RawOutput& raw, const DetectRule& rule, Survivors& survivors) {
    const bool take_all = rule.score_threshold <= 0.0;
    const auto threshold = static_cast<float>(rule.score_threshold);
    // Most rows are background by far. A class's score is at most sigmoid(its logit - the background's), so a row can
    // be refused without its exponentials; the factor leaves room for the rounding of those.
    const bool has_background = rule.background < raw.columns;
    const float hopeless = rounded_down(logit_of(rule.score_threshold * 0.9999));
    const std::size_t before = std::min(rule.background, raw.columns);
    const std::size_t after = std::min(before + 1, raw.columns);
    const VectorLoops& vectors = loops();
    std::vector<float> scores(raw.columns);
    for (std::size_t row = 0; row < raw.anchor_count; ++row) {
        const float* logits = raw.logits + row * raw.columns;
        float top = std::max(vectors.largest(logits, before), vectors.largest(logits + after, raw.columns - after));
        if (has_background) {
            const float background = logits[rule.background];
            if (top - background < hopeless) {
                continue;
            }
            top = std::max(top, background);
        }
        const float sum = vectors.exponentials(logits, raw.columns, top, scores.data());
        if (!(sum < kInfinity)) {
            continue;  // NaN, +inf, or nothing but -inf
        }
        for_each_class(raw.columns, rule.background, [&](std::size_t c) {
            const float score = scores[c] / sum;
            if (std::isfinite(logits[c]) && (take_all || score > threshold)) {
                survivors.add(row, c, score);
            }
        });
    }
}

}  // namespace

Found detect(const RawOutput& raw, const DetectRule& rule) {
    Found found;
    if (rule.score_threshold >= 1.0) {
        return found;
    }
    Survivors survivors(raw, rule);
    if (rule.activation == Activation::sigmoid) {
        scan_sigmoid(raw, rule, survivors);
    } else {
        scan_softmax(raw, rule, survivors);
    }
    const std::vector<Candidate> candidates = survivors.by_class(raw.columns);
    if (candidates.size() > std::numeric_limits<std::uint32_t>::max()) {
        throw std::invalid_argument(
            "score_threshold: expected at most 4294967295 entries above it, got more; do raise it");
    }
    for (const std::uint32_t position : select_candidates(survivors.boxes(), candidates, raw.columns, rule.nms)) {
        const Candidate& candidate = candidates[position];
        found.boxes.push_back(survivors.boxes()[candidate.box]);
        found.scores.push_back(candidate.score);
        found.class_ids.push_back(static_cast<std::int32_t>(candidate.class_id));
    }
    return found;
}

}  // namespace edgedet
