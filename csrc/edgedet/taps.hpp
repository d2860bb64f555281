#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "edgedet/vector_loops.hpp"

namespace edgedet {

/// Two neighbouring samples and their weights, in units of 1 / 2048; both are inside the image.
struct Tap {
    std::size_t first, second;
    std::int16_t first_weight, second_weight;
};

/// How `count` of the rows or columns of a resized image, from `begin` on, come of the `from` of the image: bilinear,
/// in the fixed-point arithmetic of OpenCV's resize with INTER_LINEAR. Beyond the outer samples' centres OpenCV
/// extrapolates weights between rows and their clipped twins, but not between columns.
std::vector<Tap> row_taps(std::size_t from, std::size_t to, std::size_t begin, std::size_t count);
std::vector<Tap> column_taps(std::size_t from, std::size_t to, std::size_t begin, std::size_t count);

/// Columns laid out for the vector loops, which read up to kOverread samples beyond the last of a row.
class ColumnPlan {
  public:
    static constexpr std::size_t kOverread = 16;

    explicit ColumnPlan(const std::vector<Tap>& columns);

    /// Valid as long as the plan.
    ColumnTaps taps() const;

    /// Room that a row of sums needs: whole blocks.
    std::size_t padded() const { return left_.size(); }

  private:
    void find_windows();

    std::vector<std::uint32_t> left_, starts_;
    std::vector<std::int16_t> low_weights_, high_weights_;
    std::vector<std::uint8_t> indices_;
    std::size_t windows_ = 0;
};

}  // namespace edgedet
