#include "edgedet/scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

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

/// Numbers of a table as float32: where they lie, or converted into a buffer.
class Reader {
  public:
    explicit Reader(const NetworkTable& table) : table_(table) {}

    /// `count` numbers in the order of memory.
    const float* run(std::size_t first, std::size_t count) {
        if (!table_.is_half) {
            return static_cast<const float*>(table_.data) + first;
        }
        converted_.resize(std::max(converted_.size(), count));
        loops().widen(static_cast<const std::uint16_t*>(table_.data) + first, count, converted_.data());
        return converted_.data();
    }

    /// Rows one after another, however they lie.
    const float* rows(std::size_t first, std::size_t count) {
        const std::size_t columns = table_.columns;
        if (!table_.column_by_column) {
            return run(first * columns, count * columns);
        }
        turned_.resize(std::max(turned_.size(), count * columns));
        for (std::size_t c = 0; c < columns; ++c) {
            const float* column = run(c * table_.rows + first, count);
            for (std::size_t i = 0; i < count; ++i) {
                turned_[i * columns + c] = column[i];
            }
        }
        return turned_.data();
    }

  private:
    const NetworkTable& table_;
    std::vector<float> converted_, turned_;
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

/// Of tables that lie column by column, so many numbers.
constexpr std::size_t kRun = 1024;

/// What a scan needs beside the level.
struct Scan {
    const DetectRule& rule;
    std::size_t first_row;  ///< of the level, among all
    Survivors& survivors;

    void add(std::size_t row, std::size_t column, float value) const {
        const std::size_t class_id = column > rule.background ? column - 1 : column;
        survivors.add({value, static_cast<std::uint32_t>(first_row + row), static_cast<std::uint32_t>(class_id)});
    }
};

void scan_columns(const NetworkTable& table, float cutoff, const Scan& scan) {
    const std::vector<float> cutoffs(kRun, cutoff);
    std::vector<std::uint32_t> passed(kRun);
    Reader reader(table);
    for_each_class(table.columns, scan.rule.background, [&](std::size_t column) {
        for (std::size_t first = 0; first < table.rows; first += kRun) {
            const std::size_t count = std::min(kRun, table.rows - first);
            const float* logits = reader.run(column * table.rows + first, count);
            if (!loops().any_above(logits, cutoffs.data(), count)) {
                continue;
            }
            const std::size_t found = loops().above(logits, cutoffs.data(), count, passed.data());
            for (std::size_t i = 0; i < found; ++i) {
                scan.add(first + passed[i], column, logits[passed[i]]);
            }
        }
    });
}

void scan_rows(const NetworkTable& table, float cutoff, const Scan& scan) {
    const std::size_t columns = table.columns;
    std::vector<float> cutoffs(kRowsAtOnce * columns, cutoff);
    for (std::size_t i = scan.rule.background; i < cutoffs.size(); i += columns) {
        cutoffs[i] = kInfinity;  // nothing passes
    }
    std::vector<std::uint32_t> passed(columns);
    Reader reader(table);
    for (std::size_t first = 0; first < table.rows; first += kRowsAtOnce) {
        const std::size_t count = std::min(kRowsAtOnce, table.rows - first);
        const float* logits = reader.rows(first, count);
        if (!loops().any_above(logits, cutoffs.data(), count * columns)) {
            continue;
        }
        for (std::size_t row = first; row < first + count; ++row, logits += columns) {
            if (!loops().any_above(logits, cutoffs.data(), columns)) {
                continue;
            }
            const std::size_t found = loops().above(logits, cutoffs.data(), columns, passed.data());
            for (std::size_t i = 0; i < found; ++i) {
                scan.add(row, passed[i], logits[passed[i]]);
            }
        }
    }
}

void scan_sigmoid(const NetworkTable& table, const Scan& scan) {
    const float cutoff = rounded_down(logit_of(scan.rule.score_threshold));
    if (table.column_by_column) {
        scan_columns(table, cutoff, scan);
    } else {
        scan_rows(table, cutoff, scan);
    }
}

/// Scores of one row by softmax; false when nothing of it can pass.
class Softmax {
  public:
    Softmax(const DetectRule& rule, std::size_t columns) : rule_(rule), columns_(columns), scores_(columns) {
        // Most rows are background by far. A class's score is at most sigmoid(its logit - the background's), so a row
        // can be refused without its exponentials; the factor leaves room for the rounding of those.
        hopeless_ = rounded_down(logit_of(rule.score_threshold * 0.9999));
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

void scan_softmax(const NetworkTable& table, const Scan& scan) {
    const bool take_all = scan.rule.score_threshold <= 0.0;
    const auto threshold = static_cast<float>(scan.rule.score_threshold);
    const std::size_t columns = table.columns;
    Softmax softmax(scan.rule, columns);
    Reader reader(table);
    for (std::size_t first = 0; first < table.rows; first += kRowsAtOnce) {
        const std::size_t count = std::min(kRowsAtOnce, table.rows - first);
        const float* logits = reader.rows(first, count);
        for (std::size_t row = first; row < first + count; ++row, logits += columns) {
            if (!softmax(logits)) {
                continue;
            }
            for_each_class(columns, scan.rule.background, [&](std::size_t c) {
                const float score = softmax.score(c);
                if (std::isfinite(logits[c]) && (take_all || score > threshold)) {
                    scan.add(row, c, score);
                }
            });
        }
    }
}

}  // namespace

std::vector<Survivor> scan_logits(const RawOutput& raw, const DetectRule& rule) {
    Survivors survivors(raw.columns, rule.max_candidates_per_class, rule.max_candidates);
    std::size_t first_row = 0;
    for (const RawLevel& level : raw.levels) {
        const Scan scan{rule, first_row, survivors};
        if (rule.activation == Activation::sigmoid) {
            scan_sigmoid(level.logits, scan);
        } else {
            scan_softmax(level.logits, scan);
        }
        first_row += level.logits.rows;
    }
    return survivors.take();
}

}  // namespace edgedet
