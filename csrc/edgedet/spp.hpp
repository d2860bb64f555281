#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace edgedet {

/// A (channels, height, width) float32 feature map, C-contiguous.
struct FeatureMap {
    const float* data;
    std::size_t channels, height, width;
};

/// Numbers in one region's row: channels · Σ b².
std::size_t spp_length(std::size_t channels, const std::vector<std::size_t>& levels);

/// Spatial pyramid max pooling (He et al. 2015, section 2) of many regions of one map.
///
/// regions: (count, 4) int32 half-open feature cells x0 y0 x1 y1, C-contiguous.
/// Along an axis, bin i of b over n cells covers [floor(i·n / b), ceil((i + 1)·n / b)).
/// out: (count, spp_length) float32, C-contiguous; a row's order is level (as given), channel, bin row, bin column.
/// NaN in a bin makes the bin NaN. Throws std::invalid_argument, naming it, at a region that is empty or leaves the
/// map.
void spp_pool(const FeatureMap& map, const std::int32_t* regions, std::size_t count,
              const std::vector<std::size_t>& levels, float* out);

}  // namespace edgedet
