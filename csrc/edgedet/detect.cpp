#include "edgedet/detect.hpp"

#include <array>
#include <limits>
#include <stdexcept>

#include "edgedet/exp.hpp"
#include "edgedet/half.hpp"
#include "edgedet/scan.hpp"

namespace edgedet {

namespace {

Box image_box(const RawOutput& raw, std::size_t row, const DetectRule& rule) {
    const float* anchor = raw.anchors + 4 * row;
    std::size_t level = 0;
    for (; row >= raw.levels[level].deltas.rows; ++level) {
        row -= raw.levels[level].deltas.rows;
    }
    const NetworkTable& deltas = raw.levels[level].deltas;
    std::array<float, 4> delta;
    for (std::size_t c = 0; c < 4; ++c) {
        const std::size_t at = deltas.column_by_column ? c * deltas.rows + row : 4 * row + c;
        delta[c] = deltas.is_half ? widen_half(static_cast<const std::uint16_t*>(deltas.data)[at])
                                  : static_cast<const float*>(deltas.data)[at];
    }
    const Box box = decode_box(delta.data(), anchor, rule.coding);
    return {box.x1 * rule.image_width, box.y1 * rule.image_height, box.x2 * rule.image_width,
            box.y2 * rule.image_height};
}

/// Boxes of the survivors, each decoded once.
class Boxes {
  public:
    Boxes(const RawOutput& raw, const DetectRule& rule, std::size_t survivors) : raw_(raw), rule_(rule) {
        std::size_t rows = 0;
        for (const RawLevel& level : raw.levels) {
            rows += level.deltas.rows;
        }
        // Survivors come class by class; where they are many, their rows come again and again.
        known_.resize(survivors > rows / 4 ? rows : 0, kUnknown);
    }

    /// Where the row's box is, or kNone if it is not finite.
    std::uint32_t place(std::size_t row) {
        if (known_.empty()) {
            return decode(row);
        }
        if (known_[row] == kUnknown) {
            known_[row] = decode(row);
        }
        return known_[row];
    }

    static constexpr std::uint32_t kNone = static_cast<std::uint32_t>(-1);
    const std::vector<Box>& all() const { return boxes_; }

  private:
    static constexpr std::uint32_t kUnknown = kNone - 1;

    std::uint32_t decode(std::size_t row) {
        const Box box = image_box(raw_, row, rule_);
        if (!is_finite(box)) {
            return kNone;
        }
        boxes_.push_back(box);
        return static_cast<std::uint32_t>(boxes_.size() - 1);
    }

    const RawOutput& raw_;
    const DetectRule& rule_;
    std::vector<Box> boxes_;
    std::vector<std::uint32_t> known_;
};

}  // namespace

Found detect(const RawOutput& raw, const DetectRule& rule) {
    Found found;
    if (rule.score_threshold >= 1.0) {
        return found;
    }
    const std::vector<Survivor> survivors = scan_logits(raw, rule);
    if (survivors.size() >= std::numeric_limits<std::uint32_t>::max() - 1) {
        throw std::invalid_argument(
            "score_threshold: expected fewer than 4294967294 entries above it, got more; do raise it");
    }
    Boxes boxes(raw, rule, survivors.size());
    std::vector<Candidate> candidates;
    candidates.reserve(survivors.size());
    for (const Survivor& one : survivors) {
        const std::uint32_t place = boxes.place(one.row);
        if (place != Boxes::kNone) {
            const float score = rule.activation == Activation::sigmoid ? sigmoid(one.value) : one.value;
            candidates.push_back({score, place, one.class_id});
        }
    }
    const std::size_t classes = raw.columns - (rule.background < raw.columns ? 1 : 0);
    for (const std::uint32_t position : select_candidates(boxes.all(), candidates, classes, rule.nms)) {
        const Candidate& candidate = candidates[position];
        found.boxes.push_back(boxes.all()[candidate.box]);
        found.scores.push_back(candidate.score);
        found.class_ids.push_back(static_cast<std::int32_t>(candidate.class_id));
    }
    return found;
}

}  // namespace edgedet
