#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace edgedet {

/// A (channels, height, width) feature map, C-contiguous: T is float, or std::uint16_t for float16.
template <class T>
struct FeatureMap {
    const T* data;
    std::size_t channels, height, width;
};

/// Numbers in one region's row: channels · Σ b².
std::size_t spp_length(std::size_t channels, const std::vector<std::size_t>& levels);

/// Spatial pyramid max pooling (He et al. 2015, section 2) of many regions of one map.
///
/// regions: (count, 4) int32 half-open feature cells x0 y0 x1 y1, C-contiguous.
/// Along an axis, bin i of b over n cells covers [floor(i·n / b), ceil((i + 1)·n / b)).
/// out: (count, spp_length) numbers as the map's, C-contiguous; a row's order is level (as given), channel, bin row,
/// bin column. NaN in a bin makes the bin NaN. Regions that are equal are pooled once; `threads` share the others.
/// Throws std::invalid_argument, naming it, at a region that is empty or leaves the map.
void spp_pool(const FeatureMap<float>& map, const std::int32_t* regions, std::size_t count,
              const std::vector<std::size_t>& levels, float* out, std::size_t threads = 1);
void spp_pool(const FeatureMap<std::uint16_t>& map, const std::int32_t* regions, std::size_t count,
              const std::vector<std::size_t>& levels, std::uint16_t* out, std::size_t threads = 1);

}  // namespace edgedet
