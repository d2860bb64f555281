#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace edgedet {

/// Half-open cells of a map.
struct Region {
    std::size_t x0, y0, x1, y1;
};

/// Regions from (count, 4) int32 x0 y0 x1 y1, which are read once: the array is the caller's, and may change.
/// Throws std::invalid_argument, naming it, at one that is empty or leaves the map.
std::vector<Region> check_regions(const std::int32_t* rows, std::size_t count, std::size_t map_width,
                                  std::size_t map_height);

/// For each region the index of the first that is equal to it.
std::vector<std::size_t> first_of_equals(const std::vector<Region>& regions);

}  // namespace edgedet
