#include <algorithm>
#include <cmath>
#include <limits>

#include "edgedet/scan.hpp"
#include "edgedet/table.hpp"
#include "edgedet/vector_level.hpp"

namespace edgedet {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Scores of one row by softmax; false when nothing of it can pass.
class Softmax {
  public:
    Softmax(const DetectRule& rule, std::size_t columns) : rule_(rule), columns_(columns), scores_(columns) {
        // Most rows are background by far. A class's score is at most sigmoid(its logit - the background's), so a row
        // can be refused without its exponentials; the factor leaves room for the rounding of those.
        hopeless_ = cutoff_of(rule.score_threshold * 0.9999);
    }

    bool operator()(const float* logits) {
        const std::size_t before = std::min(rule_.background, columns_);
        const std::size_t after = std::min(before + 1, columns_);
        float top = std::max(loops().largest(logits, before), loops().largest(logits + after, columns_ - after));
        if (rule_.background < columns_) {
            const float background = logits[rule_.background];
            if (top - background < hopeless_) {
                return false;
            }
            top = std::max(top, background);
        }
        sum_ = loops().exponentials(logits, columns_, top, scores_.data());
        return sum_ < kInfinity;  // else NaN, +inf, or nothing but -inf
    }

    float score(std::size_t column) const { return scores_[column] / sum_; }

  private:
    const DetectRule& rule_;
    std::size_t columns_;
    std::vector<float> scores_;
    float hopeless_, sum_ = 0.0f;
};

}  // namespace

void scan_softmax(const NetworkTable& table, const LevelScan& scan) {
    const bool take_all = scan.rule.score_threshold <= 0.0;
    const auto threshold = static_cast<float>(scan.rule.score_threshold);
    const std::size_t columns = table.columns;
    Softmax softmax(scan.rule, columns);
    TableReader reader(table);
    for (std::size_t first = 0; first < table.rows; first += kRowsAtOnce) {
        const std::size_t count = std::min(kRowsAtOnce, table.rows - first);
        const float* logits = reader.rows(first, count);
        for (std::size_t row = first; row < first + count; ++row, logits += columns) {
            if (!softmax(logits)) {
                continue;
            }
            scan.for_each_class(columns, [&](std::size_t c) {
                const float score = softmax.score(c);
                if (std::isfinite(logits[c]) && (take_all || score > threshold)) {
                    scan.add(row, c, score);
                }
            });
        }
    }
}

}  // namespace edgedet
