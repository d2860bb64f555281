#include "edgedet/detect.hpp"

#include <array>
#include <limits>
#include <stdexcept>

#include "edgedet/exp.hpp"
#include "edgedet/half.hpp"
#include "edgedet/scan.hpp"

namespace edgedet {

namespace {

/// Where the deltas of a row lie.
struct Deltas {
    const char* first;
    std::size_t step, size;  ///< bytes from one to the next, and in each

    Deltas(const RawOutput& raw, std::size_t row) {
        std::size_t level = 0;
        for (; row >= raw.levels[level].deltas.rows; ++level) {
            row -= raw.levels[level].deltas.rows;
        }
        const NetworkTable& table = raw.levels[level].deltas;
        size = table.is_half ? sizeof(std::uint16_t) : sizeof(float);
        step = table.column_by_column ? table.rows * size : size;
        first = static_cast<const char*>(table.data) + row * (table.column_by_column ? size : 4 * size);
    }

    float operator[](std::size_t i) const {
        const char* at = first + i * step;
        return size == sizeof(float) ? *reinterpret_cast<const float*>(at)
                                     : widen_half(*reinterpret_cast<const std::uint16_t*>(at));
    }
};

Box image_box(const RawOutput& raw, std::size_t row, const DetectRule& rule) {
    const Deltas deltas(raw, row);
    const std::array<float, 4> delta{deltas[0], deltas[1], deltas[2], deltas[3]};
    const Box box = decode_box(delta.data(), raw.anchors + 4 * row, rule.coding);
    return {box.x1 * rule.image_width, box.y1 * rule.image_height, box.x2 * rule.image_width,
            box.y2 * rule.image_height};
}

/// Survivors lie anywhere: what a later one needs is on its way while others are decoded.
void expect(const RawOutput& raw, std::size_t row) {
    const Deltas deltas(raw, row);
    __builtin_prefetch(raw.anchors + 4 * row);
    __builtin_prefetch(deltas.first);
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
    constexpr std::size_t kAhead = 16;
    for (std::size_t i = 0; i < survivors.size(); ++i) {
        if (i + kAhead < survivors.size()) {
            expect(raw, survivors[i + kAhead].row);
        }
        const Survivor& one = survivors[i];
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
