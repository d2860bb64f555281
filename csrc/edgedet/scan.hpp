#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgedet/detect.hpp"
#include "edgedet/survivors.hpp"

namespace edgedet {

/// The entries that pass the rule's threshold, cut down to its limits; by class, then by row. Their values are logits
/// under sigmoid, scores under softmax. The logits are read once.
std::vector<Survivor> scan_logits(const RawOutput& raw, const DetectRule& rule);

/// What the scan of one level needs beside its logits.
struct LevelScan {
    const DetectRule& rule;
    std::size_t first_row;  ///< of the level, among all
    Survivors& survivors;

    void add(std::size_t row, std::size_t column, float value) const {
        const std::size_t class_id = column > rule.background ? column - 1 : column;
        survivors.add({value, static_cast<std::uint32_t>(first_row + row), static_cast<std::uint32_t>(class_id)});
    }

    /// Calls use(column) for every column that is a class.
    template <class Use>
    void for_each_class(std::size_t columns, Use use) const {
        for (std::size_t c = 0; c < columns; ++c) {
            if (c != rule.background) {
                use(c);
            }
        }
    }
};

void scan_sigmoid(const NetworkTable& logits, const LevelScan& scan);
void scan_softmax(const NetworkTable& logits, const LevelScan& scan);

/// So many rows are asked at once, whatever their number of columns: together they are whole vectors.
inline constexpr std::size_t kRowsAtOnce = 16;

/// The largest float that is no greater than log(score / (1 - score)): a float exceeds it exactly when it exceeds that.
float cutoff_of(double score);

}  // namespace edgedet
