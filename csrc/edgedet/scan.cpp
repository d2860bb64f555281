#include "edgedet/scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "edgedet/table.hpp"
#include "edgedet/vector_level.hpp"

namespace edgedet {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Of tables that lie column by column, so many runs of so many numbers are asked at once.
constexpr std::size_t kRuns = 32, kRun = 64;

void scan_columns(const NetworkTable& table, float cutoff, const LevelScan& scan) {
    const Gate gate(table, cutoff);
    std::vector<std::uint32_t> passed(kRun);
    TableReader reader(table);
    scan.for_each_class(table.columns, [&](std::size_t column) {
        const std::size_t begin = column * table.rows;
        for (std::size_t first = 0, asked = 0; first < table.rows; first += asked) {
            const std::size_t left = table.rows - first;
            const std::size_t count = std::min(kRun, left), runs = std::min(kRuns, left / count);
            asked = runs * count;
            std::uint32_t passing = gate.passing(begin + first, count, count, runs);
            for (std::size_t row = first; passing != 0; row += count, passing >>= 1) {
                if ((passing & 1) != 0) {
                    const float* logits = reader.run(begin + row, count);
                    const std::size_t found = loops().above(logits, count, cutoff, passed.data());
                    for (std::size_t i = 0; i < found; ++i) {
                        scan.add(row + passed[i], column, logits[passed[i]]);
                    }
                }
            }
        }
    });
}

/// Columns that are classes: those before the background, those after it.
struct Columns {
    std::size_t first, count;
};

std::vector<Columns> class_columns(std::size_t columns, std::size_t background) {
    if (background >= columns) {
        return {{0, columns}};
    }
    std::vector<Columns> parts;
    if (background > 0) {
        parts.push_back({0, background});
    }
    if (background + 1 < columns) {
        parts.push_back({background + 1, columns - background - 1});
    }
    return parts;
}

void scan_rows(const NetworkTable& table, float cutoff, const LevelScan& scan) {
    const std::size_t columns = table.columns;
    const std::vector<Columns> parts = class_columns(columns, scan.rule.background);
    const Gate gate(table, cutoff);
    std::vector<std::uint32_t> passed(columns);
    TableReader reader(table);
    for (std::size_t first = 0; first < table.rows; first += kRowsAtOnce) {
        const std::size_t rows = std::min(kRowsAtOnce, table.rows - first);
        std::uint32_t passing = 0;
        for (const Columns& part : parts) {
            passing |= gate.passing(first * columns + part.first, part.count, columns, rows);
        }
        if (passing == 0) {
            continue;
        }
        gate.expect((first + rows) * columns, std::min(rows, table.rows - first - rows) * columns);
        for (std::size_t row = first; passing != 0; ++row, passing >>= 1) {
            if ((passing & 1) == 0) {
                continue;
            }
            const float* logits = reader.run(row * columns, columns);
            for (const Columns& part : parts) {
                const std::size_t found = loops().above(logits + part.first, part.count, cutoff, passed.data());
                for (std::size_t i = 0; i < found; ++i) {
                    scan.add(row, part.first + passed[i], logits[part.first + passed[i]]);
                }
            }
        }
    }
}

}  // namespace

float cutoff_of(double score) {
    if (score <= 0.0) {
        return -kInfinity;
    }
    const double logit = std::log(score / (1.0 - score));
    const auto nearest = static_cast<float>(logit);
    return static_cast<double>(nearest) > logit ? std::nextafter(nearest, -kInfinity) : nearest;
}

void scan_sigmoid(const NetworkTable& table, const LevelScan& scan) {
    const float cutoff = cutoff_of(scan.rule.score_threshold);
    if (table.column_by_column) {
        scan_columns(table, cutoff, scan);
    } else {
        scan_rows(table, cutoff, scan);
    }
}

std::vector<Survivor> scan_logits(const RawOutput& raw, const DetectRule& rule) {
    Survivors survivors(raw.columns, rule.max_candidates_per_class, rule.max_candidates);
    std::size_t first_row = 0;
    for (const RawLevel& level : raw.levels) {
        const LevelScan scan{rule, first_row, survivors};
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
